package tests

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"

	"tessera/conformance/hello/goapp"
	"tessera/conformance/hello/nethttp"
)

// hellos is the page's App in its three forms, each served, with its manifest.
func hellos(t *testing.T, p *provider) map[string]apps.Manifest {
	t.Helper()
	serve := func(t *testing.T, app nethttp.App) apps.Manifest {
		server := httptest.NewServer(app.Handler())
		t.Cleanup(server.Close)
		return app.Manifest(server.URL)
	}
	framework, err := goapp.New(p.settings())
	good(t, err)
	t.Cleanup(framework.NewTestServer(t).Close)
	return map[string]apps.Manifest{
		"nethttp":      serve(t, nethttp.App{Provider: p.settings()}),
		"nethttp_bare": serve(t, nethttp.App{Provider: p.settings(), Kept: nethttp.Bare}),
		"goapp":        framework.Manifest,
	}
}

// commands finds what a person can type of an App: submit calls by the last word.
func commands(t testing.TB, s *site, who *person, app apps.AppID) map[string]*apps.Call {
	t.Helper()
	found := map[string]*apps.Call{}
	for _, top := range s.bindings(t, who, nil).Bindings {
		for _, command := range top.Bindings {
			for _, word := range command.Bindings {
				if word.AppID != app {
					continue
				}
				call := word.Submit
				if word.Form != nil {
					call = word.Form.Submit
				}
				found[word.Label] = call
			}
		}
	}
	truth(t, len(found) == 4, "the App's commands: %s", shown(found))
	return found
}

// consent goes to the provider and decides there. It gives the address to which the provider sends the browser back.
func (b *browser) consent(t testing.TB, where, decision string) string {
	t.Helper()
	page := b.open(t, where, elsewhere)
	equal(t, "what the provider says", page.status, http.StatusOK)
	form := page.form(t)
	form.Set("decision", decision)
	back := b.submit(t, where, form)
	equal(t, "what the provider says", back.status, http.StatusFound)
	return back.next(t)
}

func TestHello(t *testing.T) {
	for _, profile := range []string{documented, reference} {
		_, name, _ := strings.Cut(profile, "=")
		t.Run(name, func(t *testing.T) {
			s, p := start(t, profile), newProvider(t)
			for form, manifest := range hellos(t, p) {
				t.Run(form, func(t *testing.T) { walk(t, s, p, manifest) })
			}
		})
	}
}

// walk lives through the whole page with one of its Apps.
func walk(t *testing.T, s *site, p *provider, manifest apps.Manifest) {
	id := manifest.AppID
	s.install(t, manifest)
	command := func(who *person, word string, values map[string]any) *apps.CallResponse {
		t.Helper()
		call := commands(t, s, who, id)[word]
		truth(t, call != nil, "no command %s", word)
		return who.calls(t, id, apps.CallRequest{Call: *call, Values: values})
	}
	credentials := map[string]any{"client_id": p.clientID, "client_secret": p.clientSecret}

	t.Run("c_oa_02_c_oa_13_configure_is_an_administrators_matter", func(t *testing.T) {
		refused := command(s.user, "configure", credentials)
		equal(t, "what a user is answered", refused.Type, apps.CallResponseTypeError)
		truth(t, refused.Text == notAdmin || strings.Contains(refused.Text, "system administrator role is required"),
			"%s", refused.Text)
		cresp := command(s.admin, "configure", credentials)
		done(t, cresp)
		equal(t, "what the administrator is told", cresp.Text, "updated OAuth client credentials")
	})

	b := newBrowser(t)
	connect := func(t *testing.T) string {
		t.Helper()
		cresp := command(s.user, "connect", nil)
		done(t, cresp)
		link := strings.TrimSuffix(strings.TrimPrefix(cresp.Text, "[Connect]("), ")")
		equal(t, "the link", link, s.flow(id, "connect"))
		return link
	}

	t.Run("c_oc_14_who_says_no_to_the_provider_is_not_connected", func(t *testing.T) {
		link := connect(t)
		// Nobody is signed in here yet: the browser goes to the sign-in page, and from there back to the link.
		away := b.open(t, link, elsewhere)
		equal(t, "status", away.status, http.StatusSeeOther)
		login, err := url.Parse(away.next(t))
		good(t, err)
		equal(t, "where to sign in", login.Path, "/login")
		back := b.signIn(t, s, "user-1", login.Query().Get("return_to"))
		equal(t, "where it leads", back.next(t), link)
		// Then it is asked once.
		ask := b.open(t, link, here)
		equal(t, "status", ask.status, http.StatusOK)
		contains(t, ask.text, manifest.DisplayName)
		begun := b.submit(t, link, ask.form(t))
		equal(t, "status", begun.status, http.StatusSeeOther)
		page := b.open(t, b.consent(t, begun.next(t), "deny"), elsewhere)
		page.shows(t, http.StatusInternalServerError, "the provider gave no code")
		equal(t, "what use says", command(s.user, "use", nil).Type, apps.CallResponseTypeError)
	})

	t.Run("c_oc_01_c_oc_08_c_oc_16_connect_leads_through_the_provider_and_use_uses_the_token", func(t *testing.T) {
		link := connect(t)
		ask := b.open(t, link, elsewhere)
		equal(t, "status", ask.status, http.StatusOK)
		begun := b.submit(t, link, ask.form(t))
		back := b.consent(t, begun.next(t), "allow")
		page := b.open(t, back, elsewhere)
		page.shows(t, http.StatusOK, "Completed connecting your account. Please close this window.")
		cresp := command(s.user, "use", nil)
		done(t, cresp)
		equal(t, "what use says", cresp.Text, "Work, Family")
		// The same address again is spent, and the token is none the worse.
		b.open(t, back, elsewhere).shows(t, http.StatusForbidden, "state mismatch: forbidden")
		done(t, command(s.user, "use", nil))
		// Nobody else is connected by it.
		equal(t, "what use says to another", command(s.other, "use", nil).Type, apps.CallResponseTypeError)
		// Who is connected goes through without a question.
		again := b.open(t, link, elsewhere)
		equal(t, "status", again.status, http.StatusTemporaryRedirect)
		equal(t, "status", b.open(t, b.consent(t, again.next(t), "allow"), elsewhere).status, http.StatusOK)
		done(t, command(s.user, "use", nil))
	})

	if id == goapp.ID {
		t.Run("a_token_that_ran_out_is_refreshed_and_stored_by_the_app", func(t *testing.T) {
			// The library takes a token that ends within ten seconds for one that has ended.
			p.life = time.Second
			again := b.open(t, connect(t), elsewhere)
			equal(t, "status", b.open(t, b.consent(t, again.next(t), "allow"), elsewhere).status, http.StatusOK)
			p.life = time.Hour
			before := len(p.granted())
			for range 3 {
				done(t, command(s.user, "use", nil))
			}
			equal(t, "what the provider granted since", p.granted()[before:], []string{"refresh_token"})
		})
	}

	t.Run("c_oa_22_disconnect_ends_it", func(t *testing.T) {
		cresp := command(s.user, "disconnect", nil)
		done(t, cresp)
		equal(t, "what it says", cresp.Text, "disconnected")
		cresp = command(s.user, "use", nil)
		equal(t, "what use says", cresp.Type, apps.CallResponseTypeError)
		if id == goapp.ID {
			contains(t, cresp.Text, "missing user record, required for /use")
		}
		// A new connection needs a yes again.
		ask := b.open(t, connect(t), elsewhere)
		equal(t, "status", ask.status, http.StatusOK)
		ask.form(t)
	})

	t.Run("c_ad_02_uninstalled_it_is_gone", func(t *testing.T) {
		s.uninstall(t, id)
		cresp := s.user.calls(t, id, apps.CallRequest{Call: *apps.NewCall("/connect")})
		failed(t, cresp, "app "+string(id)+" is not installed: not found")
		_, _, err := s.admin.GetApp(id)
		bad(t, err, "app "+string(id)+" is not installed: not found")
		var got any
		err = appclient.NewClient(s.admin.token, s.url).GetOAuth2User(&got)
		bad(t, err, notApps)
	})
}
