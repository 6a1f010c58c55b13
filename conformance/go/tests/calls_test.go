package tests

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	appspath "github.com/mattermost/mattermost-plugin-apps/apps/path"
	"github.com/mattermost/mattermost-plugin-apps/utils"
)

const echoID = apps.AppID("echotest")

// echo is an App with the permissions that goapp gives to one which asks for none: those of a bot.
func echo(t testing.TB, s *site, change func(*apps.Manifest)) *probe {
	t.Helper()
	p := newProbe(t, echoID, func(manifest *apps.Manifest) {
		manifest.RequestedPermissions = nil
		if change != nil {
			change(manifest)
		}
	})
	p.answer("/echo", func(creq goapp.CallRequest) apps.CallResponse {
		text, err := json.Marshal(creq)
		if err != nil {
			return apps.NewErrorResponse(err)
		}
		return apps.NewTextResponse("%s", text)
	})
	s.install(t, p.Manifest)
	return p
}

func TestCalls(t *testing.T) {
	s := start(t)

	forbidden := func(t *testing.T, p *probe, path string) {
		t.Helper()
		before := len(p.heard(path))
		cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall(path)})
		equal(t, "type", cresp.Type, apps.CallResponseTypeError)
		contains(t, cresp.Text, "forbidden call path: path "+path+" defined as ")
		equal(t, "how often the App heard of it", len(p.heard(path)), before)
	}

	t.Run("c_cl_01_default_paths_of_the_server_are_forbidden", func(t *testing.T) {
		p := echo(t, s, nil)
		for _, call := range []apps.Call{
			apps.DefaultPing, apps.DefaultGetOAuth2ConnectURL, apps.DefaultOnOAuth2Complete, apps.DefaultOnRemoteWebhook,
		} {
			forbidden(t, p, call.Path)
		}
		// What only looks like one is an ordinary path, and what becomes one is one.
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/webhook/x")}))
		failed(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/a/..//oauth2/connect/")}),
			"forbidden call path: path /oauth2/connect defined as get_oauth2_connect_url.path")
		// The original compares before it decodes, so that these come in at the reserved path there.
		for _, path := range []string{"/%70ing", "/oauth2%2Fcomplete", "/oauth2/%2563omplete?code=c", "/oauth2/connect?x", "/webhook#x"} {
			before := len(p.heard("/ping")) + len(p.heard("/oauth2/complete")) + len(p.heard("/oauth2/connect")) + len(p.heard("/webhook"))
			cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall(path)})
			equal(t, "type", cresp.Type, apps.CallResponseTypeError)
			contains(t, cresp.Text, "forbidden call path: path "+path+" defined as ")
			after := len(p.heard("/ping")) + len(p.heard("/oauth2/complete")) + len(p.heard("/oauth2/connect")) + len(p.heard("/webhook"))
			equal(t, "how often the App heard of it", after, before)
		}
		s.uninstall(t, p.id)
	})

	t.Run("c_cl_02_callbacks_of_the_manifest_are_forbidden", func(t *testing.T) {
		names := []string{
			"on_install", "on_uninstall", "on_version_changed", "on_enable", "on_disable",
			"get_oauth2_connect_url", "on_oauth2_complete", "on_remote_webhook",
		}
		p := echo(t, s, func(manifest *apps.Manifest) {
			for n, call := range []**apps.Call{
				&manifest.OnInstall, &manifest.OnUninstall, &manifest.OnVersionChanged, &manifest.OnEnable, &manifest.OnDisable,
				&manifest.GetOAuth2ConnectURL, &manifest.OnOAuth2Complete, &manifest.OnRemoteWebhook,
			} {
				*call = apps.NewCall("/prefix/" + names[n])
			}
		})
		equal(t, "how often it was told of its installation", len(p.heard("/prefix/on_install")), 1)
		for _, name := range names {
			forbidden(t, p, "/prefix/"+name)
		}
		s.uninstall(t, p.id)
	})

	t.Run("a_call_that_cannot_be_made_is_an_error_inside_a_200", func(t *testing.T) {
		p := echo(t, s, nil)
		call := func(who *person, creq apps.CallRequest) string {
			t.Helper()
			cresp := who.calls(t, p.id, creq)
			equal(t, "type", cresp.Type, apps.CallResponseTypeError)
			return cresp.Text
		}
		for path, text := range map[string]string{
			"":     `call path must start with a "/": "": invalid input`,
			"echo": `call path must start with a "/": "echo": invalid input`,
		} {
			equal(t, "the text", call(s.user, apps.CallRequest{Call: apps.Call{Path: path}}), text)
		}
		required := apps.Expand{OAuth2User: apps.ExpandAll.Required()}
		equal(t, "the text", call(s.user, apps.CallRequest{Call: *apps.NewCall("/echo").WithExpand(required)}),
			"failed to expand context: failed to expand required oauth2_user: echotest does not have permission to "+
				"use a remote (3rd party) OAuth2 and store secrets: forbidden")

		p.serve("/gone", http.NotFound)
		equal(t, "the text", call(s.user, apps.CallRequest{Call: *apps.NewCall("/gone")}),
			"upstream call failed: failed to invoke via HTTP: "+p.Manifest.Deploy.HTTP.RootURL+"/gone: not found")
		p.says("/empty", "")
		equal(t, "the text", call(s.user, apps.CallRequest{Call: *apps.NewCall("/empty")}), "upstream call failed: EOF")
		p.says("/page", "<html>")
		equal(t, "the text", call(s.user, apps.CallRequest{Call: *apps.NewCall("/page")}),
			"upstream call failed: invalid character '<' looking for beginning of value")
		p.serve("/created", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte("made"))
		})
		equal(t, "the text", call(s.user, apps.CallRequest{Call: *apps.NewCall("/created")}),
			"upstream call failed: failed to invoke via HTTP: made")

		// Without a token it is the same: a 200 that says no.
		cresp, resp, err := s.nobody().Call(apps.CallRequest{
			Call:    *apps.NewCall("/echo"),
			Context: apps.Context{UserAgentContext: apps.UserAgentContext{AppID: p.id}},
		})
		good(t, err)
		equal(t, "status", resp.StatusCode, http.StatusOK)
		failed(t, cresp, noUser)
		// Only what is no call at all is an error of HTTP, and so of the driver.
		_, resp, err = s.user.Call(apps.CallRequest{Call: *apps.NewCall("/echo")})
		bad(t, err, "app ID is not set in Call request: invalid input")
		equal(t, "status", resp.StatusCode, http.StatusBadRequest)
		for wrong, why := range map[string]string{
			`{"path`: "unexpected EOF",
			"":       "EOF",
			"test":   "invalid character 'e' in literal true (expecting 'r')",
		} {
			answer, err := s.user.DoAPIPOST(api(appspath.Call), wrong)
			bad(t, err, "failed to unmarshal Call request: "+why+": invalid input")
			equal(t, "status", answer.StatusCode, http.StatusBadRequest)
		}
		s.uninstall(t, p.id)
	})

	t.Run("a_call_comes_in_where_the_drivers_own_package_puts_it", func(t *testing.T) {
		p := echo(t, s, nil)
		var last string
		p.past(func(w http.ResponseWriter, req *http.Request) {
			last = req.RequestURI
			_, _ = io.WriteString(w, "{}")
		})
		defer p.past(nil)
		for _, path := range []string{
			"/a", "/a/b/", "//a//b", "/a/./b/../c", "/../../a", "/a b", "/a%20b", "/a%2Fb", "/a%252Fb", "/ü", "/%C3%BC", "/a?b=c&d=%2F", "/a?",
			"/a#b", "/a;b,c", "/a:b@c", "/a+b", "/a%2Bb", `/a"<>b`, "/a\\b", "/a|b^c`d{e}", "/(a)*!'b", "/a?b#c?d", "/a%00b", "/日本", "/a=&b",
			"/a/%2e%2e/b", "/%2e", "/a%3Fb", "/a%23b", "/a//?x=/../y", "/~a_b.c-d", "/$a", "/[a]",
			"/100%25", "/a%2525b", "/%zz", "/%", "/a\x7fb", "/a\tb", "/a?%zz",
		} {
			clean, err := utils.CleanPath(path)
			good(t, err)
			want, err := utils.CleanURL(p.Manifest.Deploy.HTTP.RootURL + "/" + clean)
			cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall(path)})
			if err == nil {
				var req *http.Request
				if req, err = http.NewRequest(http.MethodPost, want, nil); err == nil {
					want = req.URL.RequestURI()
				}
			}
			if err != nil {
				failed(t, cresp, "upstream call failed: failed to invoke via HTTP: "+err.Error())
				continue
			}
			truth(t, cresp.Type == apps.CallResponseTypeOK, "%q: %s", path, cresp.Text)
			equal(t, "where a call of "+path+" comes in", last, want)
		}
		s.uninstall(t, p.id)
	})

	t.Run("an_app_below_a_path_of_its_host_hears_everything_there", func(t *testing.T) {
		p := echo(t, s, nil)
		var strangers atomic.Int32
		host := http.NewServeMux()
		host.Handle("/apps/echo/", http.StripPrefix("/apps/echo", p))
		host.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			strangers.Add(1)
			_, _ = io.WriteString(w, "{}")
		})
		outer := httptest.NewServer(host)
		t.Cleanup(outer.Close)
		p.Manifest.Deploy.HTTP = &apps.HTTP{RootURL: outer.URL + "/apps/echo/"}
		before := len(p.heard("/ping"))
		s.install(t, p.Manifest)
		equal(t, "pings", len(p.heard("/ping")), before+1)
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/echo")}))
		equal(t, "bindings", s.bindings(t, s.user, nil).Error, "1 error occurred:\n\t* no location granted to bind to: forbidden\n\n")
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/../../echo")}))
		// The original calls whoever serves beside it, with the App's tokens.
		for _, path := range []string{"/%2e%2e/neighbour", "/..%2f..%2fx", "/a/%252e%252e/%2e%2e/%2e%2e/ping"} {
			cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall(path)})
			equal(t, "type", cresp.Type, apps.CallResponseTypeError)
			contains(t, cresp.Text, "upstream call failed: failed to invoke via HTTP: bad path: ")
		}
		equal(t, "how often a stranger was called", strangers.Load(), 0)
		s.uninstall(t, p.id)
	})

	t.Run("a_large_call_and_a_large_answer_arrive_whole", func(t *testing.T) {
		p := echo(t, s, nil)
		large := strings.Repeat("x<&>", 1<<14)
		p.answer("/back", func(creq goapp.CallRequest) apps.CallResponse { return apps.NewDataResponse(creq.Values["large"]) })
		cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/back"), Values: map[string]any{"large": large}})
		truth(t, cresp.Type == apps.CallResponseTypeOK && cresp.Data == any(large), "%s: %d bytes", cresp.Text, len(text(t, cresp.Data)))
		s.uninstall(t, p.id)
	})

	t.Run("an_app_that_redirects_is_not_followed", func(t *testing.T) {
		// The original follows ten times.
		p := echo(t, s, nil)
		p.serve("/moved", func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "/echo", http.StatusTemporaryRedirect)
		})
		cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/moved")})
		equal(t, "type", cresp.Type, apps.CallResponseTypeError)
		truth(t, strings.HasPrefix(cresp.Text, "upstream call failed: failed to invoke via HTTP: "), "%s", cresp.Text)
		equal(t, "what it heard", len(p.heard("/echo")), 0)
		s.uninstall(t, p.id)
	})

	t.Run("an_app_that_may_act_as_nobody_has_no_token_and_expands_nothing", func(t *testing.T) {
		p := newProbe(t, "nobodys", func(manifest *apps.Manifest) { manifest.RequestedPermissions = apps.Permissions{"else"} })
		s.install(t, p.Manifest)
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/hear")}))
		cc := p.last(t, "/hear").request(t).Context
		equal(t, "the bot's token", cc.BotAccessToken, "")
		truth(t, cc.BotUserID != "", "no bot")
		failed(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(apps.Expand{Locale: apps.ExpandAll})}),
			"failed to expand context: apps without any ActAs* permission can't expand: unauthorized")
		s.uninstall(t, p.id)
	})

	t.Run("no_call_is_made_twice", func(t *testing.T) {
		p := echo(t, s, nil)
		p.serve("/breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		for n := 1; n <= 3; n++ {
			cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/breaks")})
			equal(t, "type", cresp.Type, apps.CallResponseTypeError)
			truth(t, strings.HasPrefix(cresp.Text, `upstream call failed: failed to invoke via HTTP: Post "`), "%s", cresp.Text)
			equal(t, "how often the App heard of it", len(p.heard("/breaks")), n)
			done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/echo")}))
		}
		s.uninstall(t, p.id)
	})

	t.Run("every_kind_of_answer_passes_through", func(t *testing.T) {
		p := echo(t, s, nil)
		form := apps.Form{
			Title: "T", Icon: "i.png", Submit: apps.NewCall("/echo"),
			Fields: []apps.Field{{Type: apps.FieldTypeText, Name: "a_b"}, {Type: apps.FieldTypeBool, Name: "c", Label: "see"}},
		}
		clean := form
		clean.Icon = s.url + "/plugins/com.mattermost.apps/apps/echotest/static/i.png"
		clean.Fields = []apps.Field{{Type: apps.FieldTypeText, Name: "a_b", Label: "a-b"}, form.Fields[1]}
		for _, pair := range [][2]apps.CallResponse{
			{apps.NewTextResponse("**bold** <&>"), apps.NewTextResponse("**bold** <&>")},
			{apps.NewDataResponse(map[string]any{"a": []any{"b", true}}), apps.NewDataResponse(map[string]any{"a": []any{"b", true}})},
			{apps.NewFormResponse(form), apps.NewFormResponse(clean)},
			{apps.NewLookupResponse([]apps.SelectOption{{Label: "One", Value: "1"}}),
				apps.NewDataResponse(map[string]any{"items": []any{map[string]any{"label": "One", "value": "1"}}})},
			{apps.NewLookupResponse(nil), apps.NewDataResponse(map[string]any{"items": nil})},
			{{Type: apps.CallResponseTypeNavigate, NavigateToURL: "https://a.example", UseExternalBrowser: true},
				{Type: apps.CallResponseTypeNavigate, NavigateToURL: "https://a.example", UseExternalBrowser: true}},
			{{Type: apps.CallResponseTypeCall, Call: apps.NewCall("/echo")}, {Type: apps.CallResponseTypeCall, Call: apps.NewCall("/echo")}},
			{{Type: apps.CallResponseTypeError, Text: "no", Data: map[string]any{"errors": map[string]any{"a": "b"}}},
				{Type: apps.CallResponseTypeError, Text: "no", Data: map[string]any{"errors": map[string]any{"a": "b"}}}},
			{{RefreshBindings: true}, {Type: apps.CallResponseTypeOK, RefreshBindings: true}},
			{{Type: "else", Text: "x"}, {Type: "else", Text: "x"}},
		} {
			p.answer("/answer", func(goapp.CallRequest) apps.CallResponse { return pair[0] })
			got := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/answer")})
			equal(t, "the answer", *got, pair[1])
		}
		s.uninstall(t, p.id)
	})

	t.Run("an_app_calls_another_as_the_acting_user", func(t *testing.T) {
		other := newProbe(t, "second", nil)
		s.install(t, other.Manifest)
		p := newProbe(t, "first", nil)
		s.install(t, p.Manifest)
		done(t, p.during(t, s.user, func(creq goapp.CallRequest) error {
			call := apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(asActingUser())}
			call.Context.AppID = other.id
			cresp, err := creq.AsActingUser().Call(call)
			if err == nil && cresp.Type != apps.CallResponseTypeOK {
				err = cresp
			}
			return err
		}))
		cc := other.last(t, "/hear").request(t).Context
		equal(t, "the acting user", cc.ActingUser.Id, s.user.id)
		equal(t, "whose bot", cc.BotUserID != p.last(t, "/do").request(t).Context.BotUserID, true)
	})
}

func TestEcho(t *testing.T) {
	s := start(t)
	p := echo(t, s, nil)

	t.Run("c_ec_01_the_app_hears_exactly_this", func(t *testing.T) {
		creq := apps.CallRequest{
			Call:   *apps.NewCall("/echo"),
			Values: map[string]any{"name": "value", "n": 1.5},
		}
		creq.Context.UserAgent, creq.Context.ChannelID = "test", "k4m9x8n3ziyqpd1rbw7utg5esa"
		// What a user agent claims of the rest is thrown away.
		creq.Context.BotAccessToken, creq.Context.MattermostSiteURL, creq.Context.Locale = "faked", "http://fake.example", "xx"
		creq.Context.Subject = apps.SubjectUserCreated
		cresp := s.user.calls(t, p.id, creq)
		done(t, cresp)
		var heard apps.CallRequest
		good(t, json.Unmarshal([]byte(cresp.Text), &heard))
		equal(t, "lengths", []int{len(heard.Context.BotUserID), len(heard.Context.BotAccessToken)}, []int{26, 26})
		want := apps.CallRequest{Call: creq.Call, Values: creq.Values}
		want.Context.UserAgent = "test"
		want.Context.ExpandedContext = apps.ExpandedContext{
			MattermostSiteURL: s.url,
			DeveloperMode:     true,
			AppPath:           "/plugins/com.mattermost.apps/apps/echotest",
			BotUserID:         heard.Context.BotUserID,
			BotAccessToken:    heard.Context.BotAccessToken,
		}
		equal(t, "what was heard", heard, want)
		// And on the wire there is nothing that the driver passes over.
		equal(t, "the bytes", object(t, p.last(t, "/echo").body), object(t, []byte(text(t, want))))
	})

	t.Run("c_ec_02_the_answer_names_the_bot", func(t *testing.T) {
		// The driver's Call passes it over, so that its request does it, as in the original's own tests.
		creq := apps.CallRequest{Call: *apps.NewCall("/echo")}
		creq.Context.AppID = echoID
		resp, err := s.user.DoAPIPOST(api(appspath.Call), text(t, creq))
		good(t, err)
		metadata := at(object(t, []byte(body(t, resp))), "app_metadata")
		app, _, err := s.user.GetApp(echoID)
		good(t, err)
		equal(t, "app_metadata", metadata, any(map[string]any{"bot_username": "echotest", "bot_user_id": app.BotUserID}))
		truth(t, app.BotUserID != "", "no bot")
	})

	address := func(t *testing.T, s *site, p *probe) string {
		t.Helper()
		creq := apps.CallRequest{Call: *apps.NewCall("/echo").WithExpand(apps.Expand{User: apps.ExpandSummary})}
		creq.Context.UserID = s.other.id
		done(t, s.user.calls(t, p.id, creq))
		user := p.last(t, "/echo").request(t).Context.User
		truth(t, user != nil && user.Id == s.other.id && user.Username == "user-2", "%s", shown(user))
		return user.Email
	}

	t.Run("c_ec_03_an_address_is_seen_until_the_site_hides_it", func(t *testing.T) {
		own, _, err := s.other.v4.GetMe("")
		good(t, err)
		truth(t, strings.Contains(own.Email, "@"), "%q", own.Email)
		equal(t, "the address", address(t, s, p), own.Email)
		hidden := start(t, "TESSERA_SITE__SHOW_EMAIL_ADDRESS=false")
		equal(t, "the address", address(t, hidden, echo(t, hidden, nil)), "")
	})

	t.Run("c_oa_17_the_bot_writes_to_a_person", func(t *testing.T) {
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/echo").WithExpand(apps.Expand{ActingUser: apps.ExpandID})}))
		cc := p.last(t, "/echo").request(t).Context
		post, err := appclient.AsBot(cc).DM(s.user.id, "hello %s", "there")
		good(t, err)
		equal(t, "the message", post.Message, "hello there")
		posts, _, err := s.user.v4.GetPostsForChannel(post.ChannelId, 0, 10, "", false, false)
		good(t, err)
		equal(t, "who wrote it", posts.Posts[post.Id].UserId, cc.BotUserID)
		// Without the acting user's id there is nobody to write as; without a token there is nobody at all.
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/echo")}))
		_, err = appclient.AsActingUser(p.last(t, "/echo").request(t).Context).DM(s.user.id, "hello")
		bad(t, err, "empty sender user_id, perhaps Call does not expand acting_user")
	})
}
