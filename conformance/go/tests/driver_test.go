package tests

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	appspath "github.com/mattermost/mattermost-plugin-apps/apps/path"
	"github.com/mattermost/mattermost-server/v6/model"
	"golang.org/x/oauth2"
)

// events is what a client hears of the site's events, by the site's own client for them.
type events struct {
	*model.WebSocketClient
}

const refreshEvent = "custom_com.mattermost.apps_refresh_bindings"

func listen(t testing.TB, s *site, who *person) events {
	t.Helper()
	client, err := model.NewWebSocketClient4(strings.Replace(s.url, "http:", "ws:", 1), who.token)
	good(t, err)
	client.Listen()
	t.Cleanup(client.Close)
	e := events{client}
	equal(t, "the first event", e.next(t).EventType(), model.WebsocketEventHello)
	return e
}

func (e events) next(t testing.TB) *model.WebSocketEvent {
	t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	for {
		select {
		case event, open := <-e.EventChannel:
			truth(t, open, "the connection ended: %v", e.ListenError)
			return event
		case <-e.ResponseChannel:
		case <-late.C:
			t.Fatal("no event")
		}
	}
}

// untilEverybody is for whom each refresh event up to the next one for everybody was.
func (e events) untilEverybody(t testing.TB) []string {
	t.Helper()
	who := []string{}
	for {
		event := e.next(t)
		equal(t, "the event", event.EventType(), refreshEvent)
		id := event.GetBroadcast().UserId
		if id == "" {
			return who
		}
		who = append(who, id)
	}
}

func TestEvents(t *testing.T) {
	s := start(t)
	p := newProbe(t, storeID, nil)
	s.install(t, p.Manifest)
	asUser := appclient.AsActingUser(p.acts(t, s.user))
	asAdmin := appclient.AsActingUser(p.acts(t, s.admin))

	t.Run("c_oa_26_the_same_bytes_again_send_no_refresh_event", func(t *testing.T) {
		users, admins := listen(t, s, s.user), listen(t, s, s.admin)
		for range 2 {
			good(t, asUser.StoreOAuth2User(testUser()))
		}
		good(t, asAdmin.StoreOAuth2App(testApp()))
		equal(t, "for whom", users.untilEverybody(t), []string{s.user.id})
		equal(t, "for whom", admins.untilEverybody(t), []string{})
		// Taking it away is a change; what is refused is none, nor is the App's record as it was.
		good(t, asUser.StoreOAuth2User(nil))
		bad(t, asUser.StoreOAuth2User(strings.Repeat("x", 8192)), tooLarge)
		good(t, asAdmin.StoreOAuth2App(testApp()))
		good(t, asUser.StoreOAuth2User("again"))
		good(t, asAdmin.StoreOAuth2App(apps.OAuth2App{}))
		equal(t, "for whom", users.untilEverybody(t), []string{s.user.id, s.user.id})
		equal(t, "for whom", admins.untilEverybody(t), []string{})
	})

	t.Run("an_answer_that_asks_for_it_refreshes_who_called", func(t *testing.T) {
		users, admins := listen(t, s, s.user), listen(t, s, s.admin)
		for _, kind := range []apps.CallResponseType{apps.CallResponseTypeError, apps.CallResponseTypeOK} {
			p.answer("/refresh", func(goapp.CallRequest) apps.CallResponse {
				return apps.CallResponse{Type: kind, RefreshBindings: true}
			})
			equal(t, "type", s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/refresh")}).Type, kind)
		}
		good(t, asAdmin.StoreOAuth2App(testApp()))
		equal(t, "for whom", users.untilEverybody(t), []string{s.user.id})
		equal(t, "for whom", admins.untilEverybody(t), []string{})
	})
}

func TestDriver(t *testing.T) {
	s := start(t)
	p := newProbe(t, storeID, nil)
	installed := s.install(t, p.Manifest)

	t.Run("c_oa_04_c_oa_05_c_oa_06_without_expand_the_drivers_client_has_no_token", func(t *testing.T) {
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/plain")}))
		client := appclient.AsActingUser(p.last(t, "/plain").request(t).Context)
		var got any
		bad(t, client.StoreOAuth2User(testUser()), noUser)
		bad(t, client.GetOAuth2User(&got), noUser)
		bad(t, client.StoreOAuth2App(testApp()), noUser)
	})

	t.Run("an_unknown_token_is_nobodys", func(t *testing.T) {
		client := appclient.NewClient("aaaaaaaaaaaaaaaaaaaaaaaaaa", s.url)
		bad(t, client.StoreOAuth2User(testUser()), noUser)
		_, resp, err := client.GetMe("")
		truth(t, err != nil && resp.StatusCode == http.StatusUnauthorized, "%v", err)
	})

	t.Run("both_halves_of_the_client_speak_for_whom_they_are_made", func(t *testing.T) {
		cc := p.acts(t, s.user)
		for client, id := range map[*appclient.Client]string{
			appclient.AsActingUser(cc): s.user.id, appclient.AsBot(cc): cc.BotUserID,
		} {
			// One half sends `BEARER`, the other `token`.
			equal(t, "schemes", []string{client.ClientPP.AuthType, client.Client4.AuthType}, []string{"BEARER", "token"})
			me, _, err := client.GetMe("")
			good(t, err)
			equal(t, "who it is", me.Id, id)
		}
	})

	t.Run("a_site_url_with_a_slash_is_the_same_site", func(t *testing.T) {
		client := appclient.NewAppsPluginAPIClient(s.url + "/")
		client.SetOAuthToken(s.user.token)
		app, _, err := client.GetApp(p.id)
		good(t, err)
		equal(t, "the App", app.AppID, p.id)
	})

	t.Run("the_wrapper_of_an_answer_names_the_request", func(t *testing.T) {
		client := appclient.AsActingUser(p.acts(t, s.user))
		seen := map[string]bool{}
		for range 3 {
			resp, err := client.ClientPP.StoreOAuth2User(testUser())
			good(t, err)
			equal(t, "status", resp.StatusCode, http.StatusOK)
			equal(t, "Content-Length", resp.Header.Get("Content-Length"), "0")
			seen[resp.RequestId] = true
		}
		equal(t, "different ids", len(seen), 3)
		truth(t, !seen[""], "a request without an id")
	})

	t.Run("routes_and_methods_that_are_none_say_so_as_the_driver_expects", func(t *testing.T) {
		resp, err := s.user.DoAPIGET(api("/nowhere"), "")
		bad(t, err, "404 page not found")
		equal(t, "status", resp.StatusCode, http.StatusNotFound)
		resp, err = s.user.DoAPIHEAD(api(appspath.OAuth2User), "")
		bad(t, err, "")
		equal(t, "status", resp.StatusCode, http.StatusMethodNotAllowed)
		resp, err = s.user.DoAPIGET(api(appspath.OAuth2App), "")
		bad(t, err, "")
		equal(t, "status", resp.StatusCode, http.StatusMethodNotAllowed)
		resp, err = s.nobody().DoAPIPOST(api(appspath.Ping), "")
		good(t, err)
		equal(t, "the ping", strings.TrimSpace(body(t, resp)), `{"version":"1.2.2"}`)
	})

	t.Run("an_etag_changes_nothing", func(t *testing.T) {
		client := appclient.AsActingUser(p.acts(t, s.user))
		good(t, client.StoreOAuth2User("x"))
		for _, etag := range []string{"*", `"x"`} {
			resp, err := client.ClientPP.DoAPIGET(api(appspath.OAuth2User), etag)
			good(t, err)
			equal(t, "what is read", body(t, resp), `"x"`)
			equal(t, "status", resp.StatusCode, http.StatusOK)
		}
	})

	t.Run("c_oa_22_a_record_removed_by_the_original_way_or_by_ours_leaves_nobody_connected", func(t *testing.T) {
		client := appclient.AsActingUser(p.acts(t, s.user))
		var got any
		good(t, client.StoreOAuth2User(testUser()))
		good(t, client.StoreOAuth2User(nil))
		good(t, client.GetOAuth2User(&got))
		equal(t, "what is read", got, nil)
		good(t, client.StoreOAuth2User(testUser()))
		resp, err := client.ClientPP.DoAPIDELETE(api(appspath.OAuth2User))
		good(t, err)
		equal(t, "status", resp.StatusCode, http.StatusOK)
		bad(t, client.GetOAuth2User(&got), nothing)
		equal(t, "what is expanded", p.oauth2(t, s.user).User, nil)
	})

	t.Run("c_oa_01_goapps_user_comes_back_in_the_next_call", func(t *testing.T) {
		token := &oauth2.Token{
			AccessToken: "at-1", TokenType: "Bearer", RefreshToken: "rt-1",
			Expiry: time.Date(2026, 1, 2, 15, 4, 5, 123_456_789, time.UTC),
		}
		done(t, p.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.App.StoreConnectedUser(creq, &goapp.User{RemoteID: "remote-1", Token: token})
		}))
		var user *goapp.User
		var connected, admin bool
		p.answer("/who", func(creq goapp.CallRequest) apps.CallResponse {
			user, connected, admin = creq.OAuth2User(), creq.IsConnectedUser(), creq.IsSystemAdmin()
			return apps.NewTextResponse("%s", creq.ActingUserID())
		})
		who := func(who *person) string {
			t.Helper()
			cresp := who.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/who").WithExpand(apps.Expand{
				ActingUser: apps.ExpandSummary, OAuth2User: apps.ExpandAll,
			})})
			done(t, cresp)
			return cresp.Text
		}
		equal(t, "the acting user", who(s.user), s.user.id)
		equal(t, "the user", user, &goapp.User{MattermostID: s.user.id, RemoteID: "remote-1", Token: token})
		equal(t, "connected, administrator", []bool{connected, admin}, []bool{true, false})
		equal(t, "the acting user", who(s.admin), s.admin.id)
		equal(t, "the user", user, nil)
		equal(t, "connected, administrator", []bool{connected, admin}, []bool{false, true})
		done(t, p.during(t, s.user, func(creq goapp.CallRequest) error { return creq.App.StoreConnectedUser(creq, nil) }))
		who(s.user)
		equal(t, "connected", connected, false)
	})

	t.Run("goapps_guards_say_who_may_not", func(t *testing.T) {
		well := func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("in") }
		p.answer("/admins", goapp.RequireAdmin(well))
		p.answer("/connected", goapp.RequireConnectedUser(well))
		expand := apps.Expand{ActingUser: apps.ExpandSummary, OAuth2User: apps.ExpandAll}
		call := func(who *person, path string) *apps.CallResponse {
			t.Helper()
			return who.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall(path).WithExpand(expand)})
		}
		failed(t, call(s.other, "/admins"), "system administrator role is required to invoke /admins: unauthorized")
		done(t, call(s.admin, "/admins"))
		failed(t, call(s.other, "/connected"),
			"missing user record, required for /connected. Please use `/apps connect` to connect your account.: unauthorized")
		good(t, appclient.AsActingUser(p.acts(t, s.other)).StoreOAuth2User("here"))
		done(t, call(s.other, "/connected"))
	})

	t.Run("values_and_state_reach_goapps_helpers", func(t *testing.T) {
		var got []any
		p.answer("/values", func(creq goapp.CallRequest) apps.CallResponse {
			flag, found := creq.BoolValue("flag")
			got = []any{creq.GetValue("text", "-"), creq.GetValue("choice", "-"), creq.GetValue("kept", "-"), creq.GetValue("none", "-"),
				flag, found, creq.RawCommand, creq.SelectedField, creq.Query}
			return apps.NewTextResponse("")
		})
		done(t, s.user.calls(t, p.id, apps.CallRequest{
			Call: *apps.NewCall("/values").WithState(map[string]any{"kept": "k"}),
			Values: map[string]any{
				"text": "t", "choice": map[string]any{"label": "One", "value": "1"}, "flag": "true",
			},
			RawCommand: "/x y", SelectedField: "choice", Query: "on",
		}))
		equal(t, "what was read", got, []any{"t", "1", "k", "-", true, true, "/x y", "choice", "on"})
	})

	t.Run("only_administrators_see_an_apps_secrets", func(t *testing.T) {
		good(t, appclient.AsActingUser(p.acts(t, s.admin)).StoreOAuth2App(testApp()))
		own, _, err := s.admin.GetApp(p.id)
		good(t, err)
		equal(t, "the App's record", own.RemoteOAuth2, testApp())
		equal(t, "the webhook's secret", own.WebhookSecret, installed.WebhookSecret)
		equal(t, "its client at the site", own.MattermostOAuth2, installed.MattermostOAuth2)
		equal(t, "the version of the schema", own.SchemaVersion, "1.2.2")
		shown, _, err := s.user.GetApp(p.id)
		good(t, err)
		equal(t, "the App's record", shown.RemoteOAuth2, apps.OAuth2App{})
		equal(t, "secrets", []string{shown.Secret, shown.WebhookSecret}, []string{"", ""})
		truth(t, shown.MattermostOAuth2 == nil, "its client at the site is shown")
		equal(t, "the bot", shown.BotUserID, installed.BotUserID)
		_, resp, err := s.nobody().GetApp(p.id)
		bad(t, err, noUser)
		equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
	})

	t.Run("listed_apps_are_found_by_id_name_and_kind", func(t *testing.T) {
		for id, name := range map[apps.AppID]string{"zzz": "alpha", "aaa": "Beta", "mmm": "Gamma"} {
			manifest := apps.Manifest{AppID: id, DisplayName: name, HomepageURL: "https://a.example", Deploy: p.Manifest.Deploy}
			if id == "mmm" {
				manifest.Deploy = apps.Deploy{Plugin: &apps.Plugin{PluginID: "com.example.gamma"}}
			}
			s.list(t, manifest)
		}
		for _, one := range []struct {
			filter  string
			plugins bool
			found   []apps.AppID
		}{
			{"", false, []apps.AppID{"zzz", "aaa", storeID}},
			{"", true, []apps.AppID{"zzz", "aaa", "mmm", storeID}},
			{" AAA ", false, []apps.AppID{"aaa"}},
			{"aa", false, nil},
			{"gam", true, []apps.AppID{"mmm"}},
			{"a&b=c", true, nil},
		} {
			listed, _, err := s.user.GetListedApps(one.filter, one.plugins)
			good(t, err)
			var found []apps.AppID
			for _, app := range listed {
				found = append(found, app.Manifest.AppID)
			}
			equal(t, "found by "+one.filter, found, one.found)
		}
	})

	t.Run("c_oa_01_many_at_once_get_their_own", func(t *testing.T) {
		cc := p.acts(t, s.user)
		good(t, appclient.AsActingUser(cc).StoreOAuth2User("mine"))
		failures := make(chan error, 16)
		for range cap(failures) {
			go func() {
				var got string
				err := appclient.AsActingUser(cc).GetOAuth2User(&got)
				if err == nil && got != "mine" {
					err = errors.New(got)
				}
				failures <- err
			}()
		}
		for range cap(failures) {
			good(t, <-failures)
		}
	})

	t.Run("no_write_is_made_twice", func(t *testing.T) {
		// Between driver and server stands somebody who passes everything on, and loses the answers to writes.
		target, err := url.Parse(s.url)
		good(t, err)
		var passed atomic.Int32
		pass := httputil.NewSingleHostReverseProxy(target)
		pass.ModifyResponse = func(resp *http.Response) error {
			if resp.Request.Method == http.MethodPost {
				passed.Add(1)
				panic(http.ErrAbortHandler)
			}
			return nil
		}
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			req.Host = target.Host
			pass.ServeHTTP(w, req)
		}))
		t.Cleanup(front.Close)
		cc := p.acts(t, s.user)
		cc.MattermostSiteURL = front.URL
		client := appclient.AsActingUser(cc)
		var got string
		for n, record := range []string{"first", "second", "third"} {
			err := client.StoreOAuth2User(record)
			truth(t, errors.Is(err, io.EOF), "%v", err)
			equal(t, "how often it was sent", passed.Load(), int32(n+1))
			// It was written all the same, and once.
			good(t, client.GetOAuth2User(&got))
			equal(t, "the record", got, record)
		}
	})
}
