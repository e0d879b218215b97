/* Every test, one line each; main.c runs them in this order. */
#ifndef BEAMRIG_TESTS_H
#define BEAMRIG_TESTS_H

#define ALL_TESTS(TEST)                                     \
    TEST(closed_library_refuses_everything)                 \
    TEST(invented_and_stale_handles_are_refused)            \
    TEST(a_camera_opens_once_and_closes_with_the_library)   \
    TEST(info_commands_tell_the_size_first)                 \
    TEST(every_module_has_an_xml_to_read)                   \
    TEST(registers_keep_their_limits)                       \
    TEST(user_sets_keep_all_settings)                       \
    TEST(codes_are_packed_as_pfnc_says)                     \
    TEST(unpackers_touch_no_byte_too_many)                  \
    TEST(the_png_encoder_stays_within_its_room)             \
    TEST(unpackers_agree_with_and_without_vectors)          \
    TEST(cells_of_a_ramp_differ_by_its_slope)               \
    TEST(cells_far_outside_read_no_pixel_too_many)          \
    TEST(a_sinc_reads_no_pixel_too_many)                    \
    TEST(a_spline_of_a_ramp_is_the_ramp)                    \
    TEST(a_spline_reads_no_pixel_too_many)                  \
    TEST(pixels_are_finished_in_place_and_nothing_beside_them) \
    TEST(the_curve_is_read_within_its_table_whatever_the_light) \
    TEST(the_channel_furthest_from_the_background_counts)   \
    TEST(a_confidence_is_read_within_its_table_whatever_the_distance) \
    TEST(software_triggers_make_one_frame_each)             \
    TEST(both_cameras_take_the_time_of_the_edge)            \
    TEST(triggers_in_exposure_or_readout_are_counted)       \
    TEST(overlap_takes_a_trigger_in_readout_that_ends_after_it) \
    TEST(trigger_width_is_the_exposure)                     \
    TEST(any_edge_and_delay)                                \
    TEST(the_start_trigger_opens_the_gate)                  \
    TEST(settings_count_from_the_start_of_the_exposure)     \
    TEST(free_run_keeps_its_rate)                           \
    TEST(underrun_is_a_gap_in_the_frame_ids)                \
    TEST(stop_while_frames_run_gives_all_buffers_back)      \
    TEST(queued_buffers_cannot_be_revoked)                  \
    TEST(a_buffer_that_is_too_small_is_incomplete)          \
    TEST(finite_acquisition_ends_by_itself)                 \
    TEST(waiting_ends_with_kill_and_with_close)             \
    TEST(the_pattern_is_the_documented_one)                 \
    TEST(automatic_exposure_and_gain_reach_their_target)    \
    TEST(many_threads_at_once_keep_the_order)               \
    TEST(a_missing_world_is_an_error)                       \
    TEST(a_camera_of_another_process_is_in_use)             \
    TEST(the_world_renders_what_was_asked)                  \
    TEST(edges_of_the_world_trigger_the_camera)             \
    TEST(a_slow_world_costs_frames_and_recovers)            \
    TEST(the_end_of_the_world_is_the_loss_of_the_camera)    \
    TEST(a_world_that_breaks_the_protocol_is_left)          \
    TEST(frames_are_lost_repeated_and_swapped_on_order)     \
    TEST(a_frame_comes_late_on_order_and_so_do_those_behind_it) \
    TEST(a_call_hangs_once_on_order)                        \
    TEST(an_unplugged_camera_is_lost_and_not_to_be_opened)  \
    TEST(a_camera_that_is_not_plugged_in_is_not_listed)     \
    TEST(an_ignored_trigger_is_counted_on_order)            \
    TEST(the_camera_has_a_clock_of_its_own)

#define DECLARE(name) void name(void);
ALL_TESTS(DECLARE)

#endif
