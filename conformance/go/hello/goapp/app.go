// Package goapp is the same App on the driver's framework of that name. It also does what a careful provider asks for: PKCE,
// a look at the answer's issuer, refreshing a token that has run out, and revoking it in the end.
package goapp

import (
	"errors"
	"fmt"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	"github.com/mattermost/mattermost-plugin-apps/utils"
	"golang.org/x/oauth2"

	"tessera/conformance/hello"
)

// ID is the App's id.
const ID = apps.AppID("hello-goapp")

type app struct {
	provider hello.Provider
}

// New makes the App.
func New(provider hello.Provider) (*goapp.App, error) {
	a := app{provider: provider}
	asUser := apps.Expand{ActingUser: apps.ExpandSummary, ActingUserAccessToken: apps.ExpandAll}
	everything := asUser
	everything.OAuth2App = apps.ExpandAll
	everything.OAuth2User = apps.ExpandAll

	configure, err := goapp.MakeBindableForm("configure", apps.Form{
		Title:  "Configure",
		Submit: apps.NewCall("/configure").WithExpand(asUser),
		Fields: []apps.Field{
			{Type: apps.FieldTypeText, Name: "client_id", Label: "client-id", IsRequired: true},
			{Type: apps.FieldTypeText, Name: "client_secret", Label: "client-secret", IsRequired: true},
		},
	}, goapp.RequireAdmin(a.configure), goapp.WithDescription("Store the provider's client id and secret"))
	if err != nil {
		return nil, err
	}
	connect, err := goapp.MakeBindableAction("connect", a.connect, goapp.WithExpand(apps.Expand{OAuth2App: apps.ExpandAll}))
	if err != nil {
		return nil, err
	}
	use, err := goapp.MakeBindableAction("use", goapp.RequireConnectedUser(a.use), goapp.WithExpand(everything))
	if err != nil {
		return nil, err
	}
	disconnect, err := goapp.MakeBindableAction("disconnect", goapp.RequireConnectedUser(a.disconnect), goapp.WithExpand(everything))
	if err != nil {
		return nil, err
	}

	made, err := goapp.MakeApp(hello.Manifest(ID, "Hello from goapp"),
		goapp.WithLog(utils.NilLogger{}),
		goapp.WithCommand(configure, connect, use, disconnect),
	)
	if err != nil {
		return nil, err
	}
	made.HandleCall("/oauth2/connect", a.oauth2Connect)
	made.HandleCall("/oauth2/complete", a.oauth2Complete)
	return made, nil
}

func (a app) configure(creq goapp.CallRequest) apps.CallResponse {
	err := creq.AsActingUser().StoreOAuth2App(apps.OAuth2App{
		ClientID:     creq.GetValue("client_id", ""),
		ClientSecret: creq.GetValue("client_secret", ""),
	})
	if err != nil {
		return apps.NewErrorResponse(err)
	}
	return apps.NewTextResponse("updated OAuth client credentials")
}

func (a app) connect(creq goapp.CallRequest) apps.CallResponse {
	return apps.NewTextResponse("[Connect](%s)", creq.Context.OAuth2.ConnectURL)
}

func (a app) oauth2Connect(creq goapp.CallRequest) apps.CallResponse {
	state, ok := creq.StringValue("state")
	if !ok {
		return apps.NewErrorResponse(errors.New("no state"))
	}
	return apps.NewDataResponse(a.provider.AuthorizeURL(creq.Context, state))
}

func (a app) oauth2Complete(creq goapp.CallRequest) apps.CallResponse {
	// Before anything is believed or sent: a code of another provider must not be brought to this one.
	if iss, _ := creq.StringValue("iss"); a.provider.Issuer != "" && iss != a.provider.Issuer {
		return apps.NewErrorResponse(errors.New("the answer did not come from the provider"))
	}
	if refusal, refused := creq.StringValue("error"); refused {
		return apps.NewErrorResponse(errors.New("the provider gave no code: " + refusal))
	}
	code, ok := creq.StringValue("code")
	if !ok {
		return apps.NewErrorResponse(errors.New("the provider gave no code"))
	}
	state, ok := creq.StringValue("state")
	if !ok {
		return apps.NewErrorResponse(errors.New("no state"))
	}
	token, err := a.provider.Exchange(creq.GoContext, creq.Context, code, state)
	if err != nil {
		return apps.NewErrorResponse(err)
	}
	err = creq.App.StoreConnectedUser(creq, &goapp.User{RemoteID: "remote-1", Token: token})
	if err != nil {
		return apps.NewErrorResponse(err)
	}
	return apps.NewDataResponse(nil)
}

func (a app) use(creq goapp.CallRequest) apps.CallResponse {
	user := creq.OAuth2User()
	if user.Token == nil {
		return apps.NewErrorResponse(errors.New("the record holds no token"))
	}
	source := a.provider.Config(creq.Context).TokenSource(creq.GoContext, user.Token)
	token, err := source.Token()
	if err != nil {
		return apps.NewErrorResponse(err)
	}
	if token.AccessToken != user.Token.AccessToken {
		// Refreshed: it is stored before it is used.
		user.Token = token
		if err = appclient.AsActingUser(creq.Context).StoreOAuth2User(user); err != nil {
			return apps.NewErrorResponse(err)
		}
	}
	text, err := a.provider.Read(creq.GoContext, oauth2.StaticTokenSource(token))
	if err != nil {
		return apps.NewErrorResponse(err)
	}
	return apps.NewTextResponse("%s", text)
}

func (a app) disconnect(creq goapp.CallRequest) apps.CallResponse {
	// Here first: whatever becomes of the provider, the token is not used from now on.
	if err := creq.App.RemoveConnectedUser(creq); err != nil {
		return apps.NewErrorResponse(err)
	}
	revoked, err := a.provider.Revoke(creq.GoContext, creq.Context, creq.OAuth2User().Token)
	switch {
	case err != nil:
		return apps.NewErrorResponse(fmt.Errorf("disconnected here, but the access may go on there: %w", err))
	case revoked:
		return apps.NewTextResponse("disconnected, and the provider has revoked the access")
	default:
		return apps.NewTextResponse("disconnected")
	}
}
