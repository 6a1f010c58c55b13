// Package hello is what the two Apps in the folders below it share: the OAuth2 provider that they lead to, and what
// their manifests say. The Apps are those of the documentation's page "OAuth2 authentication": an administrator
// configures them, and people connect, use and disconnect an account.
package hello

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"golang.org/x/oauth2"
)

// Provider is an OAuth2 provider and something behind it that a person's token opens.
type Provider struct {
	Endpoint oauth2.Endpoint
	Scopes   []string
	// ResourceURL is read with the token; its text is shown to who asked.
	ResourceURL string
	// AuthorizeParams go into the authorization request besides what has to be there.
	AuthorizeParams url.Values
	// Issuer is what the callback's iss has to say (RFC 9207); without one nobody looks.
	Issuer string
	// RevokeURL is told of a disconnect (RFC 7009), if the provider has one.
	RevokeURL string
}

// Config is the page's oauth2Config: credentials and redirect URL come with each call.
func (p Provider) Config(cc apps.Context) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     cc.OAuth2.ClientID,
		ClientSecret: cc.OAuth2.ClientSecret,
		Endpoint:     p.Endpoint,
		RedirectURL:  cc.OAuth2.CompleteURL,
		Scopes:       p.Scopes,
	}
}

// Verifier is the PKCE verifier (RFC 7636) that belongs to a state: HMAC-SHA256 of the state under the client secret.
//
// The Apps keep nothing between connect and complete, so it has to follow from what a call brings both times. Whoever sees
// the state in a URL cannot make it without the secret, and a code brought back under another state meets another verifier.
func (p Provider) Verifier(cc apps.Context, state string) string {
	mac := hmac.New(sha256.New, []byte(cc.OAuth2.ClientSecret))
	mac.Write([]byte("hello pkce verifier\x00" + state))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// AuthorizeURL is where the browser goes from connect.
func (p Provider) AuthorizeURL(cc apps.Context, state string) string {
	options := []oauth2.AuthCodeOption{oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(p.Verifier(cc, state))}
	for name := range p.AuthorizeParams {
		options = append(options, oauth2.SetAuthURLParam(name, p.AuthorizeParams.Get(name)))
	}
	return p.Config(cc).AuthCodeURL(state, options...)
}

// Exchange swaps a code for a token.
func (p Provider) Exchange(ctx context.Context, cc apps.Context, code, state string) (*oauth2.Token, error) {
	return p.Config(cc).Exchange(ctx, code, oauth2.VerifierOption(p.Verifier(cc, state)))
}

// Revoke tells the provider that a token is not needed any more; false where it cannot be told. The library cannot do it.
func (p Provider) Revoke(ctx context.Context, cc apps.Context, token *oauth2.Token) (bool, error) {
	if p.RevokeURL == "" || token == nil {
		return false, nil
	}
	form := url.Values{"token": {token.AccessToken}, "token_type_hint": {"access_token"}}
	if token.RefreshToken != "" {
		form = url.Values{"token": {token.RefreshToken}, "token_type_hint": {"refresh_token"}}
	}
	inHeader := p.Endpoint.AuthStyle != oauth2.AuthStyleInParams
	if !inHeader {
		form.Set("client_id", cc.OAuth2.ClientID)
		form.Set("client_secret", cc.OAuth2.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.RevokeURL, strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if inHeader {
		// Form-encoded first (RFC 6749 section 2.3.1), as the library does.
		req.SetBasicAuth(url.QueryEscape(cc.OAuth2.ClientID), url.QueryEscape(cc.OAuth2.ClientSecret))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("the provider answered %s", resp.Status)
	}
	return true, nil
}

// Read uses the remote service with tokens of this source.
func (p Provider) Read(ctx context.Context, source oauth2.TokenSource) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.ResourceURL, nil)
	if err != nil {
		return "", err
	}
	resp, err := oauth2.NewClient(ctx, source).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the remote service answered %s", resp.Status)
	}
	return string(text), nil
}

// Manifest is that of an App that does all of this.
func Manifest(id apps.AppID, displayName string) apps.Manifest {
	return apps.Manifest{
		AppID:       id,
		Version:     "v1.0.0",
		DisplayName: displayName,
		HomepageURL: "https://developers.mattermost.com/integrate/apps/authentication/oauth2/",
		RequestedPermissions: apps.Permissions{
			apps.PermissionActAsBot,
			apps.PermissionActAsUser,
			apps.PermissionRemoteOAuth2,
		},
		RequestedLocations: apps.Locations{apps.LocationCommand},
	}
}
