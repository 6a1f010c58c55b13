package tests

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	appspath "github.com/mattermost/mattermost-plugin-apps/apps/path"
	"golang.org/x/oauth2"
)

const (
	storeID = apps.AppID("oauth2test")

	tooLarge = "size limit of 8Kb exceeded"
	noUser   = "user ID is required: unauthorized"
	notAdmin = "access to this operation is limited to users with permission: manage_system: unauthorized"
	notApps  = "not an app session: unauthorized"
	isABot   = "@oauth2test (tests App's OAuth2 APIs): is a bot: unauthorized"
	nothing  = "failed to decode response: EOF"
)

func testUser() map[string]any {
	return map[string]any{"test_bool": true, "test_string": "test"}
}

func testApp() apps.OAuth2App {
	return apps.OAuth2App{
		RemoteRootURL: "http://test.test/test",
		ClientID:      "client-id",
		ClientSecret:  "client-secret",
		Data:          map[string]any{"test_bool": true, "test_string": "test"},
	}
}

// record is the bytes that are stored for whom a client speaks; empty when there is nothing.
func record(t testing.TB, client *appclient.Client) string {
	t.Helper()
	resp, err := client.ClientPP.DoAPIGET(api(appspath.OAuth2User), "")
	good(t, err)
	return body(t, resp)
}

// send sends bytes to a route by the driver, whatever they are.
func send(client *appclient.Client, method, route, text string) (int, error) {
	resp, err := client.ClientPP.DoAPIRequest(method, client.ClientPP.URL+api(route), text, "")
	if resp == nil {
		return 0, err
	}
	if err == nil {
		err = resp.Body.Close()
	}
	return resp.StatusCode, err
}

func TestStore(t *testing.T) {
	s := start(t)
	p := newProbe(t, storeID, nil)
	s.install(t, p.Manifest)
	asUser := appclient.AsActingUser(p.acts(t, s.user))
	asAdmin := appclient.AsActingUser(p.acts(t, s.admin))

	t.Run("c_oa_01_a_user_record_round_trips", func(t *testing.T) {
		done(t, p.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2User(testUser())
		}))
		got := map[string]any{}
		done(t, p.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().GetOAuth2User(&got)
		}))
		equal(t, "the record", got, testUser())
	})

	t.Run("c_oa_01_a_bare_string_and_a_whole_token_round_trip", func(t *testing.T) {
		good(t, asUser.StoreOAuth2User("at-1 <&> \u2028 ü"))
		var bare string
		good(t, asUser.GetOAuth2User(&bare))
		equal(t, "the string", bare, "at-1 <&> \u2028 ü")

		whole := oauth2.Token{
			AccessToken:  "at-1",
			TokenType:    "Bearer",
			RefreshToken: "rt-1",
			Expiry:       time.Date(2026, 1, 2, 15, 4, 5, 678_900_000, time.UTC),
		}
		good(t, asUser.StoreOAuth2User(&whole))
		var got oauth2.Token
		good(t, asUser.GetOAuth2User(&got))
		equal(t, "the token", got, whole)
		// The page stores a token and reads a string: the driver says what is wrong, and the record is none the worse.
		err := asUser.GetOAuth2User(&bare)
		bad(t, err, "failed to decode response: json: cannot unmarshal object into Go value of type string")
		good(t, asUser.GetOAuth2User(&got))

		// A token without an end keeps having none.
		good(t, asUser.StoreOAuth2User(oauth2.Token{AccessToken: "at-2"}))
		got = oauth2.Token{}
		good(t, asUser.GetOAuth2User(&got))
		equal(t, "the token", got, oauth2.Token{AccessToken: "at-2"})
		truth(t, got.Valid(), "a token without an end is valid")
	})

	t.Run("c_oa_01_c_so_07_every_kind_of_value_comes_back_with_its_bytes", func(t *testing.T) {
		for _, value := range []string{`0`, `false`, `""`, `[1,2]`, `-1.5e300`, `12345678901234567890`, `{"a":{"b":[null]}}`, `{"b":1.50,"a":"\u00fc ü","b":2}`} {
			good(t, asUser.StoreOAuth2User(json.RawMessage(value)))
			var got json.RawMessage
			good(t, asUser.GetOAuth2User(&got))
			equal(t, "the value", string(got), value)
			equal(t, "the bytes", record(t, asUser), value)
		}
		good(t, asUser.StoreOAuth2User(nil))
	})

	t.Run("c_oa_02_a_sysadmins_call_stores_an_app_record_with_all_four_members", func(t *testing.T) {
		done(t, p.during(t, s.admin, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2App(testApp())
		}))
		equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, testApp())
	})

	t.Run("c_oa_03_a_call_that_expands_everything_shows_both_records", func(t *testing.T) {
		good(t, asAdmin.StoreOAuth2App(testApp()))
		good(t, asUser.StoreOAuth2User(testUser()))
		expand := asActingUser()
		expand.OAuth2App, expand.OAuth2User = apps.ExpandAll, apps.ExpandAll
		cc := p.hears(t, s.user, expand)
		equal(t, "the acting user", cc.ActingUser.Id, s.user.id)
		truth(t, cc.ActingUserAccessToken != "", "no token")
		equal(t, "oauth2", cc.OAuth2, apps.OAuth2Context{
			OAuth2App:   testApp(),
			ConnectURL:  s.flow(storeID, "connect"),
			CompleteURL: s.flow(storeID, "complete"),
			User:        testUser(),
		})
	})

	t.Run("c_oa_04_a_user_record_is_not_stored_without_a_token", func(t *testing.T) {
		resp, err := s.nobody().StoreOAuth2User(testUser())
		bad(t, err, noUser)
		equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
	})

	t.Run("c_oa_05_a_user_record_is_not_read_without_a_token", func(t *testing.T) {
		var got any
		resp, err := s.nobody().GetOAuth2User(&got)
		bad(t, err, noUser)
		equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
		equal(t, "what was read", got, nil)
	})

	t.Run("c_oa_06_an_app_record_is_not_stored_without_a_token", func(t *testing.T) {
		resp, err := s.nobody().StoreOAuth2App(testApp())
		bad(t, err, noUser)
		equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
	})

	t.Run("c_oa_07_a_user_record_that_is_too_large_is_refused_and_the_old_one_stays", func(t *testing.T) {
		good(t, asUser.StoreOAuth2User(testUser()))
		cresp := p.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2User(strings.Repeat("x", 8192))
		})
		failed(t, cresp, tooLarge)
		equal(t, "the record", record(t, asUser), text(t, testUser()))
		// A megabyte is refused as well, and the connection is good for the next request.
		bad(t, asUser.StoreOAuth2User(strings.Repeat("x", 1<<20)), tooLarge)
		equal(t, "the record", record(t, asUser), text(t, testUser()))
	})

	t.Run("c_oa_08_a_user_record_that_is_not_json_is_refused_and_the_old_one_stays", func(t *testing.T) {
		good(t, asUser.StoreOAuth2User(testUser()))
		for _, wrong := range []string{"test", "", " ", `{"a":1} x`, "[1,]", "\ufeff{}"} {
			var status int
			cresp := p.during(t, s.user, func(creq goapp.CallRequest) (err error) {
				status, err = send(creq.AsActingUser(), http.MethodPost, appspath.OAuth2User, wrong)
				return err
			})
			equal(t, "status", status, http.StatusBadRequest)
			failed(t, cresp, "payload is not valid JSON: invalid input")
			equal(t, "the record", record(t, asUser), text(t, testUser()))
		}
		// The original takes bytes that are no UTF-8 and keeps them.
		status, err := send(asUser, http.MethodPost, appspath.OAuth2User, "\"\xff\"")
		truth(t, err != nil && status == http.StatusBadRequest, "%d %v", status, err)
		equal(t, "the record", record(t, asUser), text(t, testUser()))
		// What the driver cannot encode it sends as an empty body.
		bad(t, asUser.StoreOAuth2User(func() {}), "payload is not valid JSON: invalid input")
	})

	t.Run("c_oa_09_an_app_record_that_is_too_large_is_refused_and_the_old_one_stays", func(t *testing.T) {
		good(t, asAdmin.StoreOAuth2App(testApp()))
		large := testApp()
		large.ClientID, large.Data = "large", strings.Repeat("x", 8192)
		cresp := p.during(t, s.admin, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2App(large)
		})
		failed(t, cresp, tooLarge)
		equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, testApp())
	})

	t.Run("c_oa_10_an_app_record_that_is_not_one_is_refused_with_the_originals_text", func(t *testing.T) {
		for wrong, why := range map[string]string{
			"test":               "invalid character 'e' in literal true (expecting 'r')",
			"":                   "unexpected end of JSON input",
			`{"client_id":"a"`:   "unexpected end of JSON input",
			`{client_id:1}`:      "invalid character 'c' looking for beginning of object key string",
			`{"client_id":""} x`: "invalid character 'x' after top-level value",
			`{"client_id" 1}`:    "invalid character '1' after object key",
			`"x"`:                "json: cannot unmarshal string into Go value of type apps.OAuth2App",
			`[1]`:                "json: cannot unmarshal array into Go value of type apps.OAuth2App",
			`{"client_id":1}`:    "json: cannot unmarshal number into Go struct field OAuth2App.client_id of type string",
		} {
			var status int
			cresp := p.during(t, s.admin, func(creq goapp.CallRequest) (err error) {
				status, err = send(creq.AsActingUser(), http.MethodPost, appspath.OAuth2App, wrong)
				return err
			})
			equal(t, "status", status, http.StatusBadRequest)
			failed(t, cresp, "OAuth2App is not valid JSON: "+why+": invalid input")
		}
	})

	t.Run("c_oa_13_an_app_record_is_not_stored_for_a_user_who_is_no_administrator", func(t *testing.T) {
		good(t, asAdmin.StoreOAuth2App(testApp()))
		cresp := p.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2App(apps.OAuth2App{ClientID: "planted"})
		})
		failed(t, cresp, notAdmin)
		resp, err := asUser.ClientPP.StoreOAuth2App(apps.OAuth2App{ClientID: "planted"})
		bad(t, err, notAdmin)
		equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
		equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, testApp())
	})

	t.Run("c_oa_15_an_empty_object_is_stored_and_comes_back", func(t *testing.T) {
		good(t, asUser.StoreOAuth2User(testUser()))
		good(t, asUser.StoreOAuth2User(struct{}{}))
		got := map[string]any{}
		good(t, asUser.GetOAuth2User(&got))
		equal(t, "the record", got, map[string]any{})
		equal(t, "the bytes", record(t, asUser), "{}")
	})

	t.Run("c_oa_16_a_sysadmins_call_stores_an_empty_app_record_and_so_clears_it", func(t *testing.T) {
		good(t, asAdmin.StoreOAuth2App(testApp()))
		done(t, p.during(t, s.admin, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2App(apps.OAuth2App{})
		}))
		equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, apps.OAuth2App{})
	})

	t.Run("c_oa_17_a_call_without_expand_has_the_bots_token_and_no_other", func(t *testing.T) {
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/plain")}))
		cc := p.last(t, "/plain").request(t).Context
		equal(t, "length of the bot's token", len(cc.BotAccessToken), 26)
		equal(t, "the user's token", cc.ActingUserAccessToken, "")
		// It opens the site's own interface, as the bot.
		me, _, err := appclient.AsBot(cc).GetMe("")
		good(t, err)
		equal(t, "who the token is for", me.Id, cc.BotUserID)
		equal(t, "that it is a bot", me.IsBot, true)
	})

	t.Run("c_oa_20_put_does_what_post_does", func(t *testing.T) {
		for _, method := range []string{http.MethodPut, http.MethodPost} {
			status, err := send(asAdmin, method, appspath.OAuth2App, `{"client_id":"by `+method+`"}`)
			good(t, err)
			equal(t, "status", status, http.StatusOK)
			status, err = send(asUser, method, appspath.OAuth2User, `"by `+method+`"`)
			good(t, err)
			equal(t, "status", status, http.StatusOK)
			known := p.oauth2(t, s.user)
			equal(t, "the client's id", known.ClientID, "by "+method)
			equal(t, "the record", known.User, any("by "+method))
		}
	})

	t.Run("c_oa_21_reading_where_nothing_was_stored_is_200_without_a_body_and_an_error_of_the_driver", func(t *testing.T) {
		asOther := appclient.AsActingUser(p.acts(t, s.other))
		got := "as before"
		resp, err := asOther.ClientPP.GetOAuth2User(&got)
		bad(t, err, nothing)
		equal(t, "status", resp.StatusCode, http.StatusOK)
		equal(t, "what was read", got, "as before")
		cresp := p.during(t, s.other, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().GetOAuth2User(&got)
		})
		failed(t, cresp, nothing)
		equal(t, "what is expanded", p.oauth2(t, s.other).User, nil)
	})

	t.Run("c_oa_22_null_is_stored_and_comes_back_and_expands_to_nothing", func(t *testing.T) {
		good(t, asUser.StoreOAuth2User(testUser()))
		truth(t, p.oauth2(t, s.user).User != nil, "not connected")
		done(t, p.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.AsActingUser().StoreOAuth2User(nil)
		}))
		got := map[string]any{"as": "before"}
		good(t, asUser.GetOAuth2User(&got))
		equal(t, "what was read", len(got), 0)
		equal(t, "the bytes", record(t, asUser), "null")
		for _, level := range []apps.ExpandLevel{apps.ExpandAll, apps.ExpandAll.Required()} {
			heard := p.hears(t, s.user, apps.Expand{OAuth2User: level})
			equal(t, "what is expanded", heard.OAuth2, apps.OAuth2Context{})
		}
	})

	t.Run("c_oa_23_the_limit_is_8192_bytes_and_no_more", func(t *testing.T) {
		most := strings.Repeat("x", 8190)
		good(t, asUser.StoreOAuth2User(most))
		var got string
		good(t, asUser.GetOAuth2User(&got))
		equal(t, "the record", got, most)
		resp, err := asUser.ClientPP.StoreOAuth2User(most + "x")
		bad(t, err, tooLarge)
		equal(t, "status", resp.StatusCode, http.StatusRequestEntityTooLarge)
		good(t, asUser.GetOAuth2User(&got))
		equal(t, "the record", got, most)
	})

	t.Run("c_oa_24_a_persons_own_session_neither_stores_nor_reads", func(t *testing.T) {
		for _, who := range []*person{s.user, s.admin} {
			resp, err := who.StoreOAuth2User(testUser())
			bad(t, err, notApps)
			equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
			var got any
			resp, err = who.GetOAuth2User(&got)
			bad(t, err, notApps)
			equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
		}
		_, err := s.admin.StoreOAuth2App(testApp())
		bad(t, err, notApps)
		_, err = s.user.StoreOAuth2App(testApp())
		bad(t, err, notAdmin)
	})

	t.Run("c_oa_25_an_app_without_the_permission_is_refused_on_all_three", func(t *testing.T) {
		plain := newProbe(t, "plain", func(manifest *apps.Manifest) {
			manifest.RequestedPermissions = apps.Permissions{apps.PermissionActAsBot, apps.PermissionActAsUser}
		})
		s.install(t, plain.Manifest)
		const text = "plain is not authorized to use remote OAuth2: unauthorized"
		for _, act := range []func(*appclient.Client) error{
			func(c *appclient.Client) error { return c.StoreOAuth2App(testApp()) },
			func(c *appclient.Client) error { return c.StoreOAuth2User(testUser()) },
			func(c *appclient.Client) error { var got any; return c.GetOAuth2User(&got) },
		} {
			cresp := plain.during(t, s.admin, func(creq goapp.CallRequest) error { return act(creq.AsActingUser()) })
			failed(t, cresp, text)
		}
		// goapp says the same with a word before it.
		cresp := plain.during(t, s.user, func(creq goapp.CallRequest) error {
			return creq.App.StoreConnectedUser(creq, &goapp.User{Token: &oauth2.Token{AccessToken: "at"}})
		})
		failed(t, cresp, "failed to store the user record: "+text)
		cresp = plain.during(t, s.user, func(creq goapp.CallRequest) error { return creq.App.RemoveConnectedUser(creq) })
		failed(t, cresp, "failed to removed the user record: "+text)
	})

	t.Run("c_oa_27_two_users_and_two_apps_have_records_of_their_own", func(t *testing.T) {
		second := newProbe(t, "second", nil)
		s.install(t, second.Manifest)
		clients := map[string]*appclient.Client{}
		for _, app := range []*probe{p, second} {
			for _, who := range []*person{s.user, s.other, s.admin} {
				clients[who.name+" with "+string(app.id)] = appclient.AsActingUser(app.acts(t, who))
			}
		}
		for name, client := range clients {
			good(t, client.StoreOAuth2User(name))
		}
		for name, client := range clients {
			var got string
			good(t, client.GetOAuth2User(&got))
			equal(t, "the record", got, name)
		}
		good(t, clients["user-1 with second"].StoreOAuth2User(nil))
		for name, client := range clients {
			want := text(t, name)
			if name == "user-1 with second" {
				want = "null"
			}
			equal(t, "the record of "+name, record(t, client), want)
		}
	})

	t.Run("c_oa_28_a_store_needs_no_content_type", func(t *testing.T) {
		// The driver sends none, ever; nor does any other one matter.
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "?"} {
			client := appclient.AsActingUser(p.acts(t, s.user))
			if kind != "" {
				client.ClientPP.HTTPHeader["Content-Type"] = kind
			}
			good(t, client.StoreOAuth2User("of type "+kind))
			equal(t, "the record", record(t, client), text(t, "of type "+kind))
		}
	})
}

// asks has a client call the App, and gives the record that the App is told; the error's text where it is not called.
func asks(t testing.TB, p *probe, client *appclient.Client, level apps.ExpandLevel) any {
	t.Helper()
	creq := apps.CallRequest{Call: *apps.NewCall("/asked").WithExpand(apps.Expand{OAuth2User: level})}
	creq.Context.AppID = p.id
	cresp, err := client.Call(creq)
	good(t, err)
	if cresp.Type != apps.CallResponseTypeOK {
		return cresp.Text
	}
	return p.last(t, "/asked").request(t).Context.OAuth2.User
}

func TestStoreBots(t *testing.T) {
	bots := func(t *testing.T, profile string) (*site, *probe, *appclient.Client) {
		s := start(t, profile)
		p := newProbe(t, storeID, nil)
		s.install(t, p.Manifest)
		asUser := appclient.AsActingUser(p.acts(t, s.user))
		good(t, asUser.StoreOAuth2User("the user's"))
		return s, p, asUser
	}

	t.Run("documented", func(t *testing.T) {
		s, p, asUser := bots(t, documented)
		asBot := appclient.AsBot(p.acts(t, s.user))
		t.Run("c_oa_11_documented_the_bot_reads_its_own_record_and_no_users", func(t *testing.T) {
			got := "as before"
			cresp := p.during(t, s.user, func(creq goapp.CallRequest) error { return creq.AsBot().GetOAuth2User(&got) })
			failed(t, cresp, nothing)
			equal(t, "what was read", got, "as before")
			equal(t, "what the bot's call expands", asks(t, p, asBot, apps.ExpandAll.Required()), nil)
			good(t, asBot.StoreOAuth2User("the bot's"))
			equal(t, "what the bot's call expands", asks(t, p, asBot, apps.ExpandAll.Required()), any("the bot's"))
			done(t, p.during(t, s.user, func(creq goapp.CallRequest) error { return creq.AsBot().GetOAuth2User(&got) }))
			equal(t, "the bot's record", got, "the bot's")
		})
		t.Run("c_oa_12_documented_the_bot_stores_its_own_record_and_no_users", func(t *testing.T) {
			done(t, p.during(t, s.user, func(creq goapp.CallRequest) error {
				return creq.AsBot().StoreOAuth2User("a service account")
			}))
			equal(t, "the user's record", record(t, asUser), text(t, "the user's"))
			equal(t, "what a user's call expands", p.oauth2(t, s.user).User, any("the user's"))
			equal(t, "what another user's call expands", p.oauth2(t, s.other).User, nil)
			equal(t, "the bot's record", record(t, asBot), text(t, "a service account"))
			good(t, asBot.StoreOAuth2User(nil))
			equal(t, "the user's record", record(t, asUser), text(t, "the user's"))
		})
		t.Run("c_oa_14_documented_the_bot_stores_its_apps_record", func(t *testing.T) {
			done(t, p.during(t, s.user, func(creq goapp.CallRequest) error { return creq.AsBot().StoreOAuth2App(testApp()) }))
			equal(t, "the App's record", p.oauth2(t, s.other).OAuth2App, testApp())
		})
	})

	t.Run("reference", func(t *testing.T) {
		s, p, asUser := bots(t, reference)
		asBot := appclient.AsBot(p.acts(t, s.user))
		t.Run("c_oa_11_reference_the_bot_reads_no_user_record", func(t *testing.T) {
			got := "as before"
			cresp := p.during(t, s.user, func(creq goapp.CallRequest) error { return creq.AsBot().GetOAuth2User(&got) })
			failed(t, cresp, isABot)
			equal(t, "what was read", got, "as before")
			resp, err := asBot.ClientPP.GetOAuth2User(&got)
			bad(t, err, isABot)
			equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
			equal(t, "what the bot's call expands", asks(t, p, asBot, apps.ExpandAll), nil)
			contains(t, asks(t, p, asBot, apps.ExpandAll.Required()).(string),
				"failed to expand context: failed to expand required oauth2_user: user_id: ")
		})
		t.Run("c_oa_12_reference_the_bot_stores_no_user_record", func(t *testing.T) {
			cresp := p.during(t, s.user, func(creq goapp.CallRequest) error {
				return creq.AsBot().StoreOAuth2User("a service account")
			})
			failed(t, cresp, isABot)
			equal(t, "the user's record", record(t, asUser), text(t, "the user's"))
			bad(t, asBot.StoreOAuth2User(nil), isABot)
			equal(t, "the user's record", record(t, asUser), text(t, "the user's"))
		})
		t.Run("c_oa_14_reference_the_bot_stores_no_app_record", func(t *testing.T) {
			for _, who := range []*person{s.user, s.admin} {
				cresp := p.during(t, who, func(creq goapp.CallRequest) error { return creq.AsBot().StoreOAuth2App(testApp()) })
				failed(t, cresp, notAdmin)
			}
			equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, apps.OAuth2App{})
			// An administrator's own token does it, here too.
			good(t, appclient.AsActingUser(p.acts(t, s.admin)).StoreOAuth2App(testApp()))
			equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, testApp())
		})
	})
}
