//! The small part of the REST API v4 that nearly every App needs.

use http::Method;
use tessera_types::{Post, User};

use super::{Client, decode, encode};
use crate::Error;

impl Client {
    /// Who the token belongs to.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn get_me(&self) -> Result<User, Error> {
        decode(&self.send(Method::GET, "/api/v4/users/me", None).await?)
    }

    /// Posts into `post.channel_id`; gives the post as it was made.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn create_post(&self, post: &Post) -> Result<Post, Error> {
        decode(&self.send(Method::POST, "/api/v4/posts", Some(encode(post)?)).await?)
    }

    /// Sends a direct message to a user; the text is markdown.
    ///
    /// # Errors
    ///
    /// [`Error::NoSender`] when it is not known whose token this is; else see [`Error`].
    pub async fn dm(&self, user_id: &str, text: impl Into<String>) -> Result<Post, Error> {
        self.dm_post(user_id, Post { message: text.into(), ..Post::default() }).await
    }

    /// Sends a post as a direct message to a user.
    ///
    /// # Errors
    ///
    /// [`Error::NoSender`] when it is not known whose token this is; else see [`Error`].
    pub async fn dm_post(&self, user_id: &str, mut post: Post) -> Result<Post, Error> {
        #[derive(serde::Deserialize)]
        struct DirectChannel {
            id: String,
        }
        let sender = self.sender.as_deref().ok_or(Error::NoSender)?;
        let pair = encode(&[sender, user_id])?;
        let channel: DirectChannel =
            decode(&self.send(Method::POST, "/api/v4/channels/direct", Some(pair)).await?)?;
        post.channel_id = channel.id;
        self.create_post(&post).await
    }
}
