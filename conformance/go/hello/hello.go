// Package hello is what the two Apps in the folders below it share: the OAuth2 provider that they lead to, and what
// their manifests say. The Apps are those of the documentation's page "OAuth2 authentication": an administrator
// configures them, and people connect, use and disconnect an account.
package hello

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"golang.org/x/oauth2"
)

// Provider is an OAuth2 provider and something behind it that a person's token opens.
type Provider struct {
	Endpoint oauth2.Endpoint
	Scopes   []string
	// ResourceURL is read with the token; its text is shown to who asked.
	ResourceURL string
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
