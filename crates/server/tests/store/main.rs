//! The store's one suite: every case on SQLite in memory, SQLite on disk, and PostgreSQL.
//!
//! Names of PostgreSQL's tests contain `postgres`. Where its server programs are missing these tests fail;
//! a developer without them leaves them out by name.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod asked;
mod cache;
mod crash;
mod disk;
mod engine;
mod fixture;
mod nouns;
mod postgres;
mod site;
mod states;
mod swaps;

/// One test per case and database.
macro_rules! conformance {
    ($($module:ident: $($case:ident)*;)*) => {
        mod memory {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::$module::$case(&crate::fixture::Place::memory().open().await).await;
            })*)*
        }
        mod on_disk {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let place = crate::fixture::Place::disk();
                crate::$module::$case(&place.open().await).await;
            })*)*
        }
        mod on_postgres {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let place = crate::fixture::Place::postgres().await;
                crate::$module::$case(&place.open().await).await;
            })*)*
        }
    };
}

conformance! {
    asked:
        what_was_asked_is_given_once_to_who_asked;
    swaps:
        a_claim_is_what_the_model_says
        an_answer_is_what_the_model_says
        a_settlement_is_what_the_model_says;
    engine:
        a_failing_request_harms_no_neighbour
        write_all_is_all_or_nothing
        write_reports_rows_and_counts
        parameters_may_come_in_any_order
        a_wrong_number_of_parameters_is_an_error
        values_of_every_kind_come_back;
    nouns:
        meta_put_if_absent_gives_everyone_the_winner
        manifests_are_listed_replaced_and_taken_off
        apps_compare_and_swap
        credentials_compare_and_swap
        connections_compare_and_swap
        of_many_writers_of_one_generation_one_wins
        connections_are_listed_by_user_and_page_by_page
        uses_go_forward_and_end_with_their_connection
        connections_of_one_app_are_not_another_apps
        of_many_new_keys_for_one_owner_one_wins
        rewrapping_needs_the_root_key_it_read
        destroyed_keys_are_gone_for_every_reader
        keys_are_listed_page_by_page
        an_origin_is_new_once;
    states:
        os_03_of_200_parallel_redeems_one_wins
        os_03_a_wrong_user_app_or_browser_consumes_nothing
        os_04_a_state_dies_at_its_time_and_is_swept
        pending_flows_are_counted_per_user_and_app
        os_55_open_flows_are_bounded_per_user_and_app
        a_state_cannot_be_inserted_twice
        a_parked_completion_is_taken_once;
    site:
        of_many_new_app_tokens_one_is_current
        app_tokens_are_extended_while_they_live
        app_tokens_end_by_app_by_user_and_one_by_one
        people_have_names_and_addresses_of_their_own
        sessions_end_by_token_by_person_and_by_time
        of_many_channels_of_one_name_one_is_made
        posts_are_counted_in_channel_and_thread;
}
