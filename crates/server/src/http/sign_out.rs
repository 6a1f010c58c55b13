//! For whoever finds somebody else signed in: that session ends, and they sign in as themselves and go on.

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use tessera_types::{AppId, routes};
use url::Url;

use super::caller::Caller;
use super::connect::{append, refuse_embedded, refuse_foreign_form, visitor};
use super::errors::WireError;
use super::{House, cookies, pages, window};
use crate::connect::PageForm;

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Leaving {
    token: String,
    /// Whose account they were about to connect.
    app: AppId,
}

/// Ends the session of this browser.
pub(super) async fn sign_out(
    State(house): State<House>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form<Leaving>, FormRejection>,
) -> Response {
    let gone = async {
        refuse_embedded(&headers)?;
        refuse_foreign_form(&house, &headers)?;
        let Form(form) = form.map_err(|_| PageForm::SignOut.stale())?;
        // Who has no session any more wants no more than that.
        let session = cookies::get(&headers, &house.settings.session_cookie);
        if let Some(visitor) = visitor(&caller).filter(|visitor| visitor.by_cookie) {
            house.connect.check_form_token(PageForm::SignOut, &visitor, &form.token)?;
            if let Some(session) = session {
                house.platform.sign_out(&session).await?;
            }
        }
        let connect = routes::connect_url(house.settings.site_url.as_str(), &form.app);
        let connect = Url::parse(&connect).map_err(|error| WireError::internal(&error))?;
        let back = house.platform.sign_in_again_url(&window::handed_over(connect.path()));
        let mut response = Redirect::to(&back).into_response();
        for cookie in cookies::ended_session(&house.settings) {
            append(&mut response, cookie);
        }
        Ok::<_, WireError>(response)
    };
    gone.await.unwrap_or_else(|error| pages::fail(&house, &headers, &caller, error))
}
