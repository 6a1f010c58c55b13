// Package nethttp is the App as the documentation's page writes it: net/http, encoding/json and the driver's client.
package nethttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/utils/httputils"
	"golang.org/x/oauth2"

	"tessera/conformance/hello"
)

// ID is the App's id.
const ID = apps.AppID("hello-nethttp")

// Kept says what the App stores for a person.
type Kept int

const (
	// Whole is the token with all that belongs to it.
	Whole Kept = iota
	// Bare is the access token's text and no more.
	Bare
)

// App is the App; it keeps nothing itself.
type App struct {
	Provider hello.Provider
	Kept     Kept
}

// Manifest is what the App says of itself.
func (a App) Manifest(rootURL string) apps.Manifest {
	manifest := hello.Manifest(ID, "Hello from net/http")
	manifest.Deploy = apps.Deploy{HTTP: &apps.HTTP{RootURL: rootURL}}
	return manifest
}

// Handler serves the App's calls.
func (a App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/bindings", bindings)
	mux.HandleFunc("/configure", configure)
	mux.HandleFunc("/connect", connect)
	mux.HandleFunc("/oauth2/connect", a.oauth2Connect)
	mux.HandleFunc("/oauth2/complete", a.oauth2Complete)
	mux.HandleFunc("/use", a.useRemoteService)
	mux.HandleFunc("/disconnect", disconnect)
	return mux
}

func bindings(w http.ResponseWriter, req *http.Request) {
	asUser := apps.Expand{ActingUser: apps.ExpandSummary, ActingUserAccessToken: apps.ExpandAll}
	configure := apps.NewBlankForm(apps.NewCall("/configure").WithExpand(asUser))
	configure.Title = "Configure"
	configure.Fields = []apps.Field{
		{Type: apps.FieldTypeText, Name: "client_id", Label: "client-id", IsRequired: true},
		{Type: apps.FieldTypeText, Name: "client_secret", Label: "client-secret", IsRequired: true},
	}
	command := apps.Binding{
		Location: "hello-nethttp",
		Bindings: []apps.Binding{
			{Location: "configure", Form: configure},
			{Location: "connect", Submit: apps.NewCall("/connect").WithExpand(apps.Expand{OAuth2App: apps.ExpandAll})},
			{Location: "use", Submit: apps.NewCall("/use").WithExpand(asUser)},
			{Location: "disconnect", Submit: apps.NewCall("/disconnect").WithExpand(asUser)},
		},
	}
	respond(w, apps.NewDataResponse([]apps.Binding{{Location: apps.LocationCommand, Bindings: []apps.Binding{command}}}))
}

// configure is the call of an administrator who registers the provider's client id and secret.
func configure(w http.ResponseWriter, req *http.Request) {
	creq := new(apps.CallRequest)
	if err := json.NewDecoder(req.Body).Decode(creq); err != nil {
		fail(w, err)
		return
	}
	clientID, ok := creq.Values["client_id"].(string)
	if !ok {
		fail(w, errors.New("no client_id"))
		return
	}
	clientSecret, ok := creq.Values["client_secret"].(string)
	if !ok {
		fail(w, errors.New("no client_secret"))
		return
	}
	asUser := appclient.AsActingUser(creq.Context)
	err := asUser.StoreOAuth2App(apps.OAuth2App{
		ClientID:     clientID,
		ClientSecret: clientSecret,
	})
	if err != nil {
		fail(w, err)
		return
	}
	respond(w, apps.NewTextResponse("updated OAuth client credentials"))
}

// connect tells the person which link to follow.
func connect(w http.ResponseWriter, req *http.Request) {
	creq := new(apps.CallRequest)
	if err := json.NewDecoder(req.Body).Decode(creq); err != nil {
		fail(w, err)
		return
	}
	respond(w, apps.NewTextResponse("[Connect](%s)", creq.Context.OAuth2.ConnectURL))
}

// oauth2Connect is the server's call that asks where the browser shall go.
func (a App) oauth2Connect(w http.ResponseWriter, req *http.Request) {
	creq := new(apps.CallRequest)
	if err := json.NewDecoder(req.Body).Decode(creq); err != nil {
		fail(w, err)
		return
	}
	state, ok := creq.Values["state"].(string)
	if !ok {
		fail(w, errors.New("no state"))
		return
	}
	respond(w, apps.NewDataResponse(a.Provider.Config(creq.Context).AuthCodeURL(state, oauth2.AccessTypeOffline)))
}

// oauth2Complete is the server's call at the end of the flow.
func (a App) oauth2Complete(w http.ResponseWriter, req *http.Request) {
	creq := new(apps.CallRequest)
	if err := json.NewDecoder(req.Body).Decode(creq); err != nil {
		fail(w, err)
		return
	}
	code, ok := creq.Values["code"].(string)
	if !ok {
		fail(w, errors.New("the provider gave no code"))
		return
	}
	token, err := a.Provider.Config(creq.Context).Exchange(context.Background(), code)
	if err != nil {
		fail(w, err)
		return
	}
	asUser := appclient.AsActingUser(creq.Context)
	if a.Kept == Bare {
		err = asUser.StoreOAuth2User(token.AccessToken)
	} else {
		err = asUser.StoreOAuth2User(token)
	}
	if err != nil {
		fail(w, err)
		return
	}
	respond(w, apps.NewDataResponse(nil))
}

func (a App) useRemoteService(w http.ResponseWriter, req *http.Request) {
	creq := new(apps.CallRequest)
	if err := json.NewDecoder(req.Body).Decode(creq); err != nil {
		fail(w, err)
		return
	}
	asUser := appclient.AsActingUser(creq.Context)
	token := new(oauth2.Token)
	var err error
	if a.Kept == Bare {
		var userToken string
		err = asUser.GetOAuth2User(&userToken)
		token.AccessToken = userToken
	} else {
		err = asUser.GetOAuth2User(token)
	}
	if err != nil {
		fail(w, err)
		return
	}
	text, err := a.Provider.Read(req.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		fail(w, err)
		return
	}
	respond(w, apps.NewTextResponse("%s", text))
}

func disconnect(w http.ResponseWriter, req *http.Request) {
	creq := new(apps.CallRequest)
	if err := json.NewDecoder(req.Body).Decode(creq); err != nil {
		fail(w, err)
		return
	}
	if err := appclient.AsActingUser(creq.Context).StoreOAuth2User(nil); err != nil {
		fail(w, err)
		return
	}
	respond(w, apps.NewTextResponse("disconnected"))
}

func respond(w http.ResponseWriter, cresp apps.CallResponse) {
	// Who asked has gone away: there is nobody to tell.
	_ = httputils.WriteJSON(w, cresp)
}

func fail(w http.ResponseWriter, err error) {
	respond(w, apps.NewErrorResponse(err))
}
