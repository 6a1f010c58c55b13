package tests

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	"github.com/mattermost/mattermost-plugin-apps/utils"
)

// probe is an App on goapp that remembers what it hears, and acts and answers as a test tells it.
type probe struct {
	*goapp.App
	id    apps.AppID
	mu    sync.Mutex
	got   []heard
	on    map[string]goapp.HandlerFunc
	bytes map[string]http.HandlerFunc
	// whole answers every request, where it is set.
	whole http.HandlerFunc
}

// heard is one request that reached the App.
type heard struct {
	method, path string
	header       http.Header
	body         []byte
}

func all() apps.Permissions {
	return apps.Permissions{apps.PermissionActAsBot, apps.PermissionActAsUser, apps.PermissionRemoteOAuth2}
}

// newProbe starts an App of this id with all permissions; change may alter its manifest.
func newProbe(t testing.TB, id apps.AppID, change func(*apps.Manifest), options ...goapp.AppOption) *probe {
	t.Helper()
	manifest := apps.Manifest{
		AppID:                id,
		Version:              "v1.0.0",
		DisplayName:          "tests App's OAuth2 APIs",
		HomepageURL:          "https://hello.example.com",
		RequestedPermissions: all(),
	}
	if change != nil {
		change(&manifest)
	}
	app, err := goapp.MakeApp(manifest, append([]goapp.AppOption{goapp.WithLog(utils.NilLogger{})}, options...)...)
	good(t, err)
	p := &probe{App: app, id: id, on: map[string]goapp.HandlerFunc{}, bytes: map[string]http.HandlerFunc{}}
	app.HandleCall("/{path:.*}", p.dispatch)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	app.Manifest.Deploy.HTTP = &apps.HTTP{RootURL: server.URL}
	return p
}

func (p *probe) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.got = append(p.got, heard{req.Method, req.URL.Path, req.Header.Clone(), text})
	raw := p.bytes[req.URL.Path]
	if p.whole != nil {
		raw = p.whole
	}
	p.mu.Unlock()
	req.Body = io.NopCloser(bytes.NewReader(text))
	if raw != nil {
		raw(w, req)
		return
	}
	p.Router.ServeHTTP(w, req)
}

func (p *probe) dispatch(creq goapp.CallRequest) apps.CallResponse {
	p.mu.Lock()
	handler := p.on[creq.Path]
	p.mu.Unlock()
	if handler == nil {
		return apps.NewDataResponse(nil)
	}
	return handler(creq)
}

// answer has the App answer calls to a path by this handler from now on.
func (p *probe) answer(path string, handler goapp.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on[path] = handler
}

// serve has the App answer requests for a path past goapp.
func (p *probe) serve(path string, handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes[path] = handler
}

// past has the App answer every request past goapp.
func (p *probe) past(handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.whole = handler
}

// says has the App answer requests for a path with these bytes.
func (p *probe) says(path, text string) {
	p.serve(path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	})
}

// heard is what reached the App under a path so far.
func (p *probe) heard(path string) []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []heard
	for _, one := range p.got {
		if one.path == path {
			found = append(found, one)
		}
	}
	return found
}

// last is the latest that reached the App under a path.
func (p *probe) last(t testing.TB, path string) heard {
	t.Helper()
	found := p.heard(path)
	truth(t, len(found) > 0, "the App heard nothing at %s", path)
	return found[len(found)-1]
}

// request is the call as the driver reads it. What came is, byte for byte, what the driver's own types write for it, as
// the original is made of them.
func (h heard) request(t testing.TB) apps.CallRequest {
	t.Helper()
	creq := h.odd(t)
	equal(t, "the bytes of a call to "+h.path, string(h.body), text(t, creq))
	return creq
}

// odd is the same where numbers, escapes or a stored record are spelt as nobody's types write them: they stay as they are.
func (h heard) odd(t testing.TB) apps.CallRequest {
	t.Helper()
	creq, err := apps.CallRequestFromJSON(h.body)
	good(t, err)
	return *creq
}

// asActingUser expands what the driver needs to act as who called.
func asActingUser() apps.Expand {
	return apps.Expand{ActingUser: apps.ExpandSummary, ActingUserAccessToken: apps.ExpandAll}
}

// during has the App do something while a person calls it: the error is what the driver made of it.
func (p *probe) during(t testing.TB, who *person, act func(goapp.CallRequest) error) *apps.CallResponse {
	t.Helper()
	p.answer("/do", func(creq goapp.CallRequest) apps.CallResponse {
		if err := act(creq); err != nil {
			return apps.NewErrorResponse(err)
		}
		return apps.NewTextResponse("done")
	})
	return who.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/do").WithExpand(asActingUser())})
}

// hears is the context that the App gets when a person calls it with this expand.
func (p *probe) hears(t testing.TB, who *person, expand apps.Expand) apps.Context {
	t.Helper()
	done(t, who.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(expand)}))
	return p.last(t, "/hear").request(t).Context
}

// acts is the context with which the App can act as a person and as its bot.
func (p *probe) acts(t testing.TB, who *person) apps.Context {
	t.Helper()
	cc := p.hears(t, who, asActingUser())
	truth(t, cc.ActingUserAccessToken != "" && cc.BotAccessToken != "", "no tokens in %s", shown(cc))
	return cc
}

// oauth2 is what the App hears of its records when a person calls it.
func (p *probe) oauth2(t testing.TB, who *person) apps.OAuth2Context {
	t.Helper()
	return p.hears(t, who, apps.Expand{OAuth2App: apps.ExpandAll, OAuth2User: apps.ExpandAll}).OAuth2
}

// text is a value as JSON.
func text(t testing.TB, value any) string {
	t.Helper()
	bytes, err := json.Marshal(value)
	good(t, err)
	return string(bytes)
}
