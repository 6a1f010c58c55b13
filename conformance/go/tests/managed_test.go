package tests

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"golang.org/x/oauth2"

	"tessera/conformance/hello/goapp"
	"tessera/conformance/hello/nethttp"
)

// overheard is an App as it is, and what it hears.
type overheard struct {
	http.Handler
	mu  sync.Mutex
	got []heard
}

func (o *overheard) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	o.got = append(o.got, heard{req.Method, req.URL.Path, req.Header.Clone(), text})
	o.mu.Unlock()
	req.Body = io.NopCloser(bytes.NewReader(text))
	o.Handler.ServeHTTP(w, req)
}

// calls are the calls to a path so far.
func (o *overheard) calls(t testing.TB, path string) []apps.CallRequest {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	found := []apps.CallRequest{}
	for _, one := range o.got {
		if one.path == path {
			found = append(found, one.odd(t))
		}
	}
	return found
}

// provider is where an App's provider record is.
func (s *site) provider(app apps.AppID) string {
	return s.url + "/plugins/" + appclient.AppsPluginName + "/tessera/v1/apps/" + string(app) + "/provider"
}

// record is a provider record for p, with the App's client.
func (p *provider) record(t testing.TB) string {
	descriptor := fmt.Sprintf("name = 'conformance'\ndisplay_name = 'Conformance'\nauthorize_url = '%[1]s/authorize'\n"+
		"token_url = '%[1]s/token'\nclient_auth = 'basic'\nrevoke = { url = '%[1]s/revoke' }\n"+
		"scopes = { default = ['calendar'] }\n[refresh]\nrotation = 'always'\n", p.url)
	return text(t, map[string]string{
		"descriptor": descriptor, "client_id": p.clientID, "client_secret": p.clientSecret,
	})
}

// TestManaged is the documentation page's App, which keeps its users' tokens itself, and not a line of which is changed,
// after an administrator gave it a provider record: from then on the service keeps them.
func TestManaged(t *testing.T) {
	s, p := start(t), newProvider(t)
	app := nethttp.App{Provider: p.settings()}
	hears := &overheard{Handler: app.Handler()}
	server := httptest.NewServer(hears)
	t.Cleanup(server.Close)
	manifest := app.Manifest(server.URL)
	id := manifest.AppID
	s.install(t, manifest)
	command := func(word string) *apps.CallResponse {
		t.Helper()
		return s.user.calls(t, id, apps.CallRequest{Call: *commands(t, s, s.user, id)[word]})
	}
	// client is what the App has while it uses the remote service: the driver's, with the token of its call.
	client := func() *appclient.Client {
		t.Helper()
		calls := hears.calls(t, "/use")
		truth(t, len(calls) > 0, "the App was not used")
		return appclient.AsActingUser(calls[len(calls)-1].Context)
	}
	b := signedIn(t, s, "user-1")

	t.Run("an_administrator_gives_it_a_provider_record_and_nobody_else_does", func(t *testing.T) {
		status, _, _ := s.raw(t, http.MethodPut, s.provider(id), s.user.token, p.record(t))
		equal(t, "what a user is answered", status, http.StatusUnauthorized)
		status, _, told := s.raw(t, http.MethodPut, s.provider(id), s.admin.token, p.record(t))
		truth(t, status == http.StatusOK, "%d %s", status, told)
		equal(t, "the redirect URI", at(object(t, []byte(told)), "redirect_uri"), any(s.flow(id, "complete")))
		contains(t, told, "Conformance accepts the client")
	})

	t.Run("connect_leads_to_the_provider_and_asks_nothing_of_the_app", func(t *testing.T) {
		// Short enough for a test to see its end.
		p.lives(4 * time.Second)
		cresp := command("connect")
		done(t, cresp)
		link := strings.TrimSuffix(strings.TrimPrefix(cresp.Text, "[Connect]("), ")")
		equal(t, "the link", link, s.flow(id, "connect"))
		oauth2App := hears.calls(t, "/connect")[0].Context.OAuth2
		equal(t, "the client id", oauth2App.ClientID, p.clientID)
		equal(t, "the client secret", oauth2App.ClientSecret, "")
		ask := b.open(t, link, elsewhere)
		equal(t, "status", ask.status, http.StatusOK)
		begun := b.submit(t, link, ask.form(t))
		truth(t, strings.HasPrefix(begun.next(t), p.url+"/authorize?"), "%s", begun.next(t))
		page := b.open(t, b.consent(t, begun.next(t), "allow"), elsewhere)
		page.shows(t, http.StatusOK, "Completed connecting your account")
		equal(t, "how often it was asked where to go", len(hears.calls(t, "/oauth2/connect")), 0)
		// It is told afterwards, without the code, and what it makes of that is no more than a note.
		told := hears.calls(t, "/oauth2/complete")
		equal(t, "how often it was told", len(told), 1)
		truth(t, told[0].Values["code"] == nil, "the App saw the code")
		equal(t, "how many codes were swapped", strings.Count(strings.Join(p.granted(), " "), "authorization_code"), 1)
		cresp = command("use")
		done(t, cresp)
		equal(t, "what use says", cresp.Text, "Work, Family")
	})

	t.Run("get_oauth2_user_reads_a_token_that_lives_and_after_its_end_another_one", func(t *testing.T) {
		first := new(oauth2.Token)
		good(t, client().GetOAuth2User(first))
		truth(t, p.takes(t, first.AccessToken), "the provider does not take the token")
		equal(t, "the type", first.Type(), "Bearer")
		equal(t, "the refresh token", first.RefreshToken, "")
		p.lives(time.Hour)
		p.refuses(t, first.AccessToken)
		second := new(oauth2.Token)
		good(t, client().GetOAuth2User(second))
		truth(t, second.AccessToken != first.AccessToken, "the same token again")
		truth(t, second.Valid(), "the library takes it for none: %s", second.Expiry)
		truth(t, p.takes(t, second.AccessToken), "the provider does not take the fresh token")
		cresp := command("use")
		done(t, cresp)
		equal(t, "what use says", cresp.Text, "Work, Family")
	})

	t.Run("a_token_of_its_own_is_not_stored", func(t *testing.T) {
		err := client().StoreOAuth2User(&oauth2.Token{AccessToken: "mine"})
		truth(t, err != nil, "it was stored")
		contains(t, err.Error(), "are managed")
		done(t, command("use"))
	})

	t.Run("c_oa_21_its_own_disconnect_ends_the_grant_at_the_provider_too", func(t *testing.T) {
		last := new(oauth2.Token)
		good(t, client().GetOAuth2User(last))
		cresp := command("disconnect")
		done(t, cresp)
		equal(t, "what it says", cresp.Text, "disconnected")
		p.refuses(t, last.AccessToken)
		equal(t, "how many grants were revoked", p.revoked, 1)
		bad(t, client().GetOAuth2User(last), "failed to decode response: EOF")
		equal(t, "what use says", command("use").Type, apps.CallResponseTypeError)
	})

	t.Run("goapps_user_holds_its_token_inside_and_finds_none_at_the_top", func(t *testing.T) {
		framework, err := goapp.New(p.settings())
		good(t, err)
		t.Cleanup(framework.NewTestServer(t).Close)
		s.install(t, framework.Manifest)
		status, _, told := s.raw(t, http.MethodPut, s.provider(goapp.ID), s.admin.token, p.record(t))
		truth(t, status == http.StatusOK, "%d %s", status, told)
		_, begun, _ := s.raw(t, http.MethodGet, s.flow(goapp.ID, "connect"), s.user.token, "")
		back := newBrowser(t).consent(t, begun.Get("Location"), "allow")
		status, _, told = s.raw(t, http.MethodGet, back, s.user.token, "")
		truth(t, status == http.StatusOK, "%d %s", status, told)
		use := func() *apps.CallResponse {
			return s.user.calls(t, goapp.ID, apps.CallRequest{Call: *commands(t, s, s.user, goapp.ID)["use"]})
		}
		failed(t, use(), "the record holds no token")
	})
}
