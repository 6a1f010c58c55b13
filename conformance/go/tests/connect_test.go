package tests

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
)

const (
	connectID = apps.AppID("hello")
	mismatch  = "403 state mismatch: forbidden\n"
)

// scene is a site with an App that leads to a provider of which nothing is asked.
type scene struct {
	*site
	*probe
}

// led is where the App of a scene leads to.
const led = "https://provider.example/a?client_id=cid&state="

func setScene(t *testing.T, settings ...string) *scene {
	t.Helper()
	s := &scene{start(t, settings...), newProbe(t, connectID, nil)}
	s.install(t, s.Manifest)
	leads(s.probe)
	return s
}

// leads has an App lead to the provider from now on.
func leads(p *probe) {
	p.serve("/oauth2/connect", nil)
	p.answer("/oauth2/connect", func(creq goapp.CallRequest) apps.CallResponse {
		return apps.NewDataResponse(led + creq.GetValue("state", ""))
	})
}

// open opens an address with a person's own token, as a program does that has no browser.
func (s *scene) open(t testing.TB, who *person, address string) (int, http.Header, string) {
	t.Helper()
	return s.raw(t, http.MethodGet, address, who.token, "")
}

// begin begins a flow with a person's own token, and gives its state.
func (s *scene) begin(t testing.TB, who *person) string {
	t.Helper()
	status, header, text := s.open(t, who, s.flow(s.id, "connect"))
	truth(t, status == http.StatusTemporaryRedirect, "%d %s", status, text)
	state, found := strings.CutPrefix(header.Get("Location"), led)
	truth(t, found, "leads to %s", header.Get("Location"))
	return state
}

// complete comes back from the provider.
func (s *scene) complete(t testing.TB, who *person, query string) string {
	t.Helper()
	return said(s.open(t, who, s.flow(s.id, "complete")+"?"+query))
}

// completes comes back from the provider, and all is well.
func (s *scene) completes(t testing.TB, who *person, query string) {
	t.Helper()
	answer := s.complete(t, who, query)
	truth(t, strings.HasPrefix(answer, "200 "), "%s", answer)
	contains(t, answer, "Completed connecting your account. Please close this window.")
}

func TestConnect(t *testing.T) {
	s := setScene(t)
	connect, complete := s.flow(connectID, "connect"), s.flow(connectID, "complete")

	t.Run("c_oc_01_c_so_01_connect_asks_the_app_and_leads_to_its_url", func(t *testing.T) {
		good(t, appclient.AsActingUser(s.acts(t, s.admin)).StoreOAuth2App(testApp()))
		leadsOn := func(status int, header http.Header, text string) {
			t.Helper()
			equal(t, "status", status, http.StatusTemporaryRedirect)
			creq := s.last(t, "/oauth2/connect").request(t)
			state := creq.GetValue("state", "")
			truth(t, regexp.MustCompile(`^[A-Za-z0-9_-]{43}\.`+s.user.id+`$`).MatchString(state), "%q", state)
			equal(t, "Location", header.Get("Location"), led+state)
			equal(t, "Content-Type", header.Get("Content-Type"), "text/html; charset=utf-8")
			equal(t, "the body", text, `<a href="`+strings.ReplaceAll(led+state, "&", "&amp;")+`">Temporary Redirect</a>.`+"\n\n")
			equal(t, "the call", creq.Call, apps.DefaultGetOAuth2ConnectURL)
			equal(t, "the values", creq.Values, map[string]any{"state": state})
			equal(t, "the acting user", creq.Context.ActingUser.Id, s.user.id)
			truth(t, creq.Context.ActingUserAccessToken != "", "no token")
			equal(t, "oauth2", creq.Context.OAuth2, apps.OAuth2Context{
				OAuth2App: testApp(), ConnectURL: connect, CompleteURL: complete,
			})
			equal(t, "the user agent", creq.Context.UserAgent, "")
		}
		leadsOn(s.open(t, s.user, connect))
		page := signedIn(t, s.site, "user-1").open(t, connect, here)
		leadsOn(page.status, page.header, page.text)
	})

	t.Run("c_oc_01_a_browser_is_asked_once_and_an_app_or_nobody_is_refused", func(t *testing.T) {
		b := signedIn(t, s.site, "user-1")
		before := len(s.heard("/oauth2/connect"))
		for _, from := range []string{elsewhere, nowhere} {
			ask := b.open(t, connect, from)
			ask.shows(t, http.StatusOK, "tests App's OAuth2 APIs")
		}
		equal(t, "how often the App was asked", len(s.heard("/oauth2/connect")), before)
		begun := b.submit(t, connect, b.open(t, connect, elsewhere).form(t))
		equal(t, "status", begun.status, http.StatusSeeOther)
		truth(t, strings.HasPrefix(begun.next(t), led), "leads to %s", begun.next(t))

		equal(t, "what nobody is told", said(s.raw(t, http.MethodGet, connect, "", "")), "401 "+noUser+"\n")
		cc := s.acts(t, s.user)
		for _, token := range []string{cc.ActingUserAccessToken, cc.BotAccessToken} {
			status, _, _ := s.raw(t, http.MethodGet, connect, token, "")
			equal(t, "status for an App", status, http.StatusForbidden)
		}
	})

	t.Run("c_oc_02_an_answer_without_a_type_is_a_success", func(t *testing.T) {
		s.serve("/oauth2/connect", func(w http.ResponseWriter, req *http.Request) {
			creq, err := apps.CallRequestFromJSONReader(req.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			_, _ = fmt.Fprintf(w, `{"data":"https://provider.example/ü?state=%s"}`, creq.GetValue("state", ""))
		})
		defer leads(s.probe)
		status, header, text := s.open(t, s.user, connect)
		truth(t, status == http.StatusTemporaryRedirect, "%d %s", status, text)
		truth(t, strings.HasPrefix(header.Get("Location"), "https://provider.example/%c3%bc?state="), "%s", header.Get("Location"))
	})

	// An answer of the App's that is none makes a text, for a program and in a browser alike.
	refuses := func(t *testing.T, answer, text string) {
		t.Helper()
		s.says("/oauth2/connect", answer)
		defer leads(s.probe)
		equal(t, "what is said", said(s.open(t, s.user, connect)), "500 "+text+"\n")
		signedIn(t, s.site, "user-1").open(t, connect, here).shows(t, http.StatusInternalServerError, text)
	}

	t.Run("c_oc_03_an_answer_whose_data_is_no_string_is_an_error", func(t *testing.T) {
		for data, name := range map[string]string{
			`{"url":"https://p.example"}`: "map[string]interface {}",
			`null`:                        "<nil>",
			`true`:                        "bool",
			`1.5`:                         "float64",
			`[]`:                          "[]interface {}",
		} {
			refuses(t, `{"type":"ok","data":`+data+`}`,
				"oauth2: unexpected data type from the app: "+name+", expected string (connect URL)")
		}
	})

	t.Run("c_oc_04_an_answer_of_another_type_is_an_error", func(t *testing.T) {
		for _, kind := range []string{"form", "navigate", "call"} {
			refuses(t, `{"type":"`+kind+`","data":"https://p.example"}`,
				`oauth2: unexpected response type from the app: "`+kind+`"`)
		}
	})

	t.Run("c_oc_05_an_error_of_the_app_is_passed_on", func(t *testing.T) {
		refuses(t, text(t, apps.NewErrorResponse(fmt.Errorf("boom"))), "boom")
	})

	t.Run("c_oc_06_an_app_without_the_permission_connects_nobody", func(t *testing.T) {
		plain := newProbe(t, "plain", func(manifest *apps.Manifest) {
			manifest.RequestedPermissions = apps.Permissions{apps.PermissionActAsBot, apps.PermissionActAsUser}
		})
		s.install(t, plain.Manifest)
		equal(t, "connect", said(s.open(t, s.user, s.flow("plain", "connect"))), "401 plain is not authorized to use OAuth2\n")
		equal(t, "complete", said(s.open(t, s.user, s.flow("plain", "complete")+"?code=c&state=s")),
			"401 plain is not authorized to use remote OAuth2: unauthorized\n")
		equal(t, "what the App heard", len(plain.heard("/oauth2/connect"))+len(plain.heard("/oauth2/complete")), 0)
		s.uninstall(t, "plain")
	})

	t.Run("c_oc_07_an_app_that_is_not_there_or_disabled_connects_nobody", func(t *testing.T) {
		state := s.begin(t, s.user)
		_, err := s.admin.DisableApp(connectID)
		good(t, err)
		before := len(s.heard("/oauth2/connect")) + len(s.heard("/oauth2/complete"))
		for id, text := range map[apps.AppID]string{
			"nobody":  "404 app nobody is not installed: not found\n",
			connectID: "403 app is disabled by the administrator: hello: forbidden\n",
		} {
			equal(t, "connect", said(s.open(t, s.user, s.flow(id, "connect"))), text)
			equal(t, "complete", said(s.open(t, s.user, s.flow(id, "complete")+"?code=c&state="+state)), text)
		}
		equal(t, "what the App heard", len(s.heard("/oauth2/connect"))+len(s.heard("/oauth2/complete")), before)
		_, err = s.admin.EnableApp(connectID)
		good(t, err)
		s.completes(t, s.user, "code=c&state="+state)
	})

	t.Run("c_oc_08_complete_tells_the_app_and_closes_the_window", func(t *testing.T) {
		state := s.begin(t, s.user)
		query := url.Values{"code": {"c/1 2"}, "state": {state}, "scope": {"read write"}, "empty": {""}}
		status, header, text := s.open(t, s.user, complete+"?"+query.Encode())
		equal(t, "status", status, http.StatusOK)
		truth(t, strings.HasPrefix(header.Get("Content-Type"), "text/html"), "%s", header.Get("Content-Type"))
		contains(t, text, "Completed connecting your account. Please close this window.")
		contains(t, text, "window.close()")
		creq := s.last(t, "/oauth2/complete").request(t)
		equal(t, "the call", creq.Call, apps.DefaultOnOAuth2Complete)
		equal(t, "the values", creq.Values, map[string]any{
			"code": "c/1 2", "state": state, "scope": "read write", "empty": "",
		})
		equal(t, "the acting user", creq.Context.ActingUser.Id, s.user.id)
		equal(t, "oauth2", creq.Context.OAuth2, apps.OAuth2Context{
			OAuth2App: testApp(), ConnectURL: connect, CompleteURL: complete,
		})
	})

	t.Run("c_oc_09_c_so_06_a_used_state_is_a_mismatch", func(t *testing.T) {
		query := "code=c&state=" + s.begin(t, s.user)
		s.completes(t, s.user, query)
		before := len(s.heard("/oauth2/complete"))
		equal(t, "the second time", s.complete(t, s.user, query), mismatch)
		equal(t, "how often the App heard", len(s.heard("/oauth2/complete")), before)
	})

	t.Run("c_oc_10_without_a_state_nothing_completes", func(t *testing.T) {
		before := len(s.heard("/oauth2/complete"))
		for _, query := range []string{"code=c", "code=c&state=", ""} {
			equal(t, "what is said", s.complete(t, s.user, query), "401 no state arg in the URL: unauthorized\n")
		}
		equal(t, "how often the App heard", len(s.heard("/oauth2/complete")), before)
	})

	t.Run("c_oc_11_c_so_04_another_users_state_is_forbidden_and_works_for_its_owner", func(t *testing.T) {
		query := "code=c&state=" + s.begin(t, s.user)
		for _, who := range []*person{s.other, s.admin} {
			equal(t, "what is said", s.complete(t, who, query), "403 forbidden\n")
		}
		s.completes(t, s.user, query)
	})

	t.Run("c_so_02_c_so_03_c_so_05_a_state_that_was_never_given_is_refused_and_spends_nothing", func(t *testing.T) {
		query := "code=c&state=" + s.begin(t, s.user)
		unknown := strings.Repeat("A", 43) + "."
		for state, text := range map[string]string{
			"invalidformat":         "403 forbidden\n",
			"a.b." + s.user.id:      "403 forbidden\n",
			"." + s.user.id + ".":   "403 forbidden\n",
			"nonexistent.value":     "403 forbidden\n",
			unknown + s.admin.id:    "403 forbidden\n",
			unknown + s.user.id:     mismatch,
			"short." + s.user.id:    mismatch,
			"ü." + s.user.id:        mismatch,
			unknown + s.user.id[1:]: "403 forbidden\n",
		} {
			equal(t, "of "+state, s.complete(t, s.user, "code=c&state="+url.QueryEscape(state)), text)
		}
		s.completes(t, s.user, query)
	})

	t.Run("c_oc_11_another_apps_state_is_a_mismatch_and_works_for_its_own", func(t *testing.T) {
		// The original took it (B-08).
		second := newProbe(t, "second", nil)
		s.install(t, second.Manifest)
		query := "code=c&state=" + s.begin(t, s.user)
		equal(t, "what is said", said(s.open(t, s.user, s.flow("second", "complete")+"?"+query)), mismatch)
		equal(t, "what the other App heard", len(second.heard("/oauth2/complete")), 0)
		s.completes(t, s.user, query)
		s.uninstall(t, "second")
	})

	t.Run("c_oc_13_an_error_of_the_app_is_passed_on_and_the_state_is_spent", func(t *testing.T) {
		for answer, text := range map[string]string{
			`{"type":"error","text":"no such code"}`: "500 no such code\n",
			`{"type":"form"}`:                        "500 oauth2: unexpected response type from the app: \"form\"\n",
		} {
			query := "code=c&state=" + s.begin(t, s.user)
			s.says("/oauth2/complete", answer)
			equal(t, "what is said", s.complete(t, s.user, query), text)
			s.serve("/oauth2/complete", nil)
			equal(t, "the second time", s.complete(t, s.user, query), mismatch)
		}
	})

	t.Run("c_oc_14_a_refusal_of_the_provider_reaches_the_app", func(t *testing.T) {
		state := s.begin(t, s.user)
		answer := s.complete(t, s.user, "error=access_denied&error_description=not+today&state="+state)
		truth(t, strings.HasPrefix(answer, "200 "), "%s", answer)
		// The original's page says that all went well.
		contains(t, answer, "access_denied")
		equal(t, "the values", s.last(t, "/oauth2/complete").request(t).Values, map[string]any{
			"error": "access_denied", "error_description": "not today", "state": state,
		})
	})

	t.Run("c_oc_15_an_overridden_path_keeps_the_default_expand", func(t *testing.T) {
		moved := newProbe(t, "moved", func(manifest *apps.Manifest) {
			manifest.GetOAuth2ConnectURL = apps.NewCall("/begin/here")
			manifest.OnOAuth2Complete = apps.NewCall("/end/here")
		})
		s.install(t, moved.Manifest)
		moved.answer("/begin/here", func(creq goapp.CallRequest) apps.CallResponse {
			return apps.NewDataResponse(led + creq.GetValue("state", ""))
		})
		status, header, _ := s.open(t, s.user, s.flow("moved", "connect"))
		equal(t, "status", status, http.StatusTemporaryRedirect)
		creq := moved.last(t, "/begin/here").request(t)
		equal(t, "the expand", creq.Expand, apps.DefaultGetOAuth2ConnectURL.Expand)
		state := strings.TrimPrefix(header.Get("Location"), led)
		status, _, _ = s.open(t, s.user, s.flow("moved", "complete")+"?code=c&state="+state)
		equal(t, "status", status, http.StatusOK)
		equal(t, "the expand", moved.last(t, "/end/here").request(t).Expand, apps.DefaultOnOAuth2Complete.Expand)
		equal(t, "what it heard elsewhere", len(moved.heard("/oauth2/connect"))+len(moved.heard("/oauth2/complete")), 0)
		s.uninstall(t, "moved")
	})

	t.Run("c_oc_15_c_cl_01_an_overridden_expand_keeps_the_default_path_and_its_reservation", func(t *testing.T) {
		own := apps.Expand{ActingUser: apps.ExpandID}
		bent := newProbe(t, "bent", func(manifest *apps.Manifest) {
			manifest.GetOAuth2ConnectURL = &apps.Call{Expand: &own, State: map[string]any{"kept": true}}
		})
		s.install(t, bent.Manifest)
		leads(bent)
		status, _, _ := s.open(t, s.user, s.flow("bent", "connect"))
		equal(t, "status", status, http.StatusTemporaryRedirect)
		creq := bent.last(t, "/oauth2/connect").request(t)
		equal(t, "the call", creq.Call, apps.Call{Path: "/oauth2/connect", Expand: &own, State: map[string]any{"kept": true}})
		equal(t, "the token", creq.Context.ActingUserAccessToken, "")
		// The original calls the path and lets people call it as well (B-59).
		failed(t, s.user.calls(t, "bent", apps.CallRequest{Call: *apps.NewCall("/oauth2/connect")}),
			"forbidden call path: path /oauth2/connect defined as get_oauth2_connect_url.path")
		s.uninstall(t, "bent")
	})

	t.Run("c_oc_16_what_the_app_stores_while_completing_is_there_at_the_next_call", func(t *testing.T) {
		s.answer("/oauth2/complete", func(creq goapp.CallRequest) apps.CallResponse {
			user := &goapp.User{RemoteID: "remote-1"}
			if err := creq.App.StoreConnectedUser(creq, user); err != nil {
				return apps.NewErrorResponse(err)
			}
			return apps.NewDataResponse(nil)
		})
		want := any(map[string]any{"MattermostID": s.user.id, "RemoteID": "remote-1", "Token": nil})
		s.completes(t, s.user, "code=c&state="+s.begin(t, s.user))
		equal(t, "what the next call sees", s.oauth2(t, s.user).User, want)
		equal(t, "what another's call sees", s.oauth2(t, s.other).User, nil)
		// Connecting again, the App sees what there was; in the connect call it does not.
		s.completes(t, s.user, "code=c&state="+s.begin(t, s.user))
		equal(t, "what complete sees", s.last(t, "/oauth2/complete").request(t).Context.OAuth2.User, want)
		equal(t, "what connect sees", s.last(t, "/oauth2/connect").request(t).Context.OAuth2.User, nil)
	})
}

func TestConnectStateEnds(t *testing.T) {
	t.Run("c_oc_12_a_state_that_has_outlived_its_time_is_a_mismatch", func(t *testing.T) {
		// Its time is 15 minutes, of which a test has none to spare: here it is the shortest that can be set. Nobody
		// may have more than one flow open, so that the second can begin as soon as the first has ended by itself.
		s := setScene(t, "TESSERA_CONNECT__STATE_LIFE_SECONDS=1", "TESSERA_LIMITS__PENDING_FLOWS=1",
			"TESSERA_LIMITS__CONNECTS_PER_MINUTE=0")
		state := s.begin(t, s.user)
		patience := time.Now().Add(time.Minute)
		for {
			status, _, text := s.open(t, s.user, s.flow(connectID, "connect"))
			if status == http.StatusTemporaryRedirect {
				break
			}
			equal(t, "status while the first is open", status, http.StatusTooManyRequests)
			truth(t, time.Now().Before(patience), "the first flow does not end: %s", text)
		}
		equal(t, "what is said", s.complete(t, s.user, "code=c&state="+state), mismatch)
		equal(t, "what the App heard", len(s.heard("/oauth2/complete")), 0)
	})
}
