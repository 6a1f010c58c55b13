package tests

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	appspath "github.com/mattermost/mattermost-plugin-apps/apps/path"
	"github.com/mattermost/mattermost-server/v6/model"
)

const adminID = apps.AppID("admintest")

func TestLifecycle(t *testing.T) {
	s := start(t)
	p := newProbe(t, adminID, nil)

	t.Run("c_ad_01_an_app_is_listed_and_installed", func(t *testing.T) {
		listed, resp, err := s.admin.UpdateAppListing(appclient.UpdateAppListingRequest{
			Manifest: p.Manifest, Replace: true, AddDeploys: apps.DeployTypes{apps.DeployHTTP},
		})
		good(t, err)
		equal(t, "status", resp.StatusCode, http.StatusOK)
		equal(t, "the manifest", *listed, p.Manifest)
		app, resp, err := s.admin.InstallApp(adminID, apps.DeployHTTP)
		good(t, err)
		equal(t, "status", resp.StatusCode, http.StatusOK)
		equal(t, "the App's id", app.AppID, adminID)
		equal(t, "how it is reached", app.DeployType, apps.DeployHTTP)
		equal(t, "what it may", app.GrantedPermissions, all())
		equal(t, "the bot's name", app.BotUsername, string(adminID))
		bot, _, err := s.user.v4.GetUser(app.BotUserID, "")
		good(t, err)
		truth(t, bot.IsBot, "%s is no bot", shown(bot))
		truth(t, app.MattermostOAuth2 != nil && app.MattermostOAuth2.Id != "", "no client of its own: %s", shown(app))
		equal(t, "what the App heard", len(p.heard("/ping")), 1)
	})

	t.Run("c_ad_01_a_listing_without_replace_adds_and_removes_deployments", func(t *testing.T) {
		p := newProbe(t, "merged", nil)
		update := func(replace bool, add, remove apps.DeployTypes, deploy apps.Deploy) apps.Deploy {
			t.Helper()
			manifest := p.Manifest
			manifest.Deploy = deploy
			listed, _, err := s.admin.UpdateAppListing(appclient.UpdateAppListingRequest{
				Manifest: manifest, Replace: replace, AddDeploys: add, RemoveDeploys: remove,
			})
			good(t, err)
			return listed.Deploy
		}
		web, plugin := p.Manifest.Deploy, apps.Deploy{Plugin: &apps.Plugin{PluginID: "com.example.p"}}
		both := apps.Deploy{HTTP: web.HTTP, Plugin: plugin.Plugin}
		equal(t, "replaced", update(true, nil, nil, plugin), plugin)
		equal(t, "not added", update(false, nil, nil, web), plugin)
		equal(t, "added", update(false, apps.DeployTypes{apps.DeployHTTP}, nil, web), both)
		equal(t, "removed", update(false, nil, apps.DeployTypes{apps.DeployPlugin}, web), web)
		_, _, err := s.admin.InstallApp("merged", apps.DeployPlugin)
		bad(t, err, "app does not support Mattermost Plugin deployment")
	})

	t.Run("c_ad_01_c_ad_02_only_an_administrator_may", func(t *testing.T) {
		const text = "access to this operation is limited to system administrators, or plugins: unauthorized"
		p := newProbe(t, "planted", nil)
		for name, client := range map[string]*appclient.ClientPP{"a user": s.user.ClientPP, "nobody": s.nobody()} {
			install, uninstall := text, text
			if name == "nobody" {
				install, uninstall = noUser, noUser
			}
			_, resp, err := client.UpdateAppListing(appclient.UpdateAppListingRequest{Manifest: p.Manifest, Replace: true})
			bad(t, err, text)
			equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
			_, resp, err = client.InstallApp(adminID, apps.DeployHTTP)
			bad(t, err, install)
			equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
			resp, err = client.UninstallApp(adminID)
			bad(t, err, uninstall)
			equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
			for _, act := range []func(apps.AppID) (*model.Response, error){client.EnableApp, client.DisableApp} {
				resp, err = act(adminID)
				bad(t, err, text)
				equal(t, "status", resp.StatusCode, http.StatusUnauthorized)
			}
		}
		_, _, err := s.admin.InstallApp("planted", apps.DeployHTTP)
		bad(t, err, "failed to find manifest to install app: planted: not found")
	})

	t.Run("c_ad_02_an_app_is_disabled_enabled_and_uninstalled", func(t *testing.T) {
		called := func(text string) {
			t.Helper()
			cresp := s.user.calls(t, adminID, apps.CallRequest{Call: *apps.NewCall("/send")})
			if text == "" {
				done(t, cresp)
			} else {
				failed(t, cresp, text)
			}
		}
		listed := func() apps.ListedApp {
			t.Helper()
			found, _, err := s.user.GetListedApps(string(adminID), false)
			good(t, err)
			equal(t, "how many are listed", len(found), 1)
			return found[0]
		}
		app, _, err := s.user.GetApp(adminID)
		good(t, err)
		botActive := func() bool {
			t.Helper()
			bot, _, err := s.admin.v4.GetUser(app.BotUserID, "")
			good(t, err)
			return bot.DeleteAt == 0
		}
		called("")
		equal(t, "how it stands", []bool{listed().Installed, listed().Enabled, botActive()}, []bool{true, true, true})

		for range 2 {
			resp, err := s.admin.DisableApp(adminID)
			good(t, err)
			equal(t, "status", resp.StatusCode, http.StatusOK)
			called("app is disabled by the administrator: admintest: forbidden")
			equal(t, "how it stands", []bool{listed().Installed, listed().Enabled, botActive()}, []bool{true, false, false})
			equal(t, "its label", listed().Labels, []model.MarketplaceLabel{
				{Name: "Disabled", Description: "This app is disabled."},
			})
		}
		for range 2 {
			resp, err := s.admin.EnableApp(adminID)
			good(t, err)
			equal(t, "status", resp.StatusCode, http.StatusOK)
			called("")
			equal(t, "how it stands", []bool{listed().Installed, listed().Enabled, botActive()}, []bool{true, true, true})
		}
		resp, err := s.admin.UninstallApp(adminID)
		good(t, err)
		equal(t, "status", resp.StatusCode, http.StatusOK)
		called("app admintest is not installed: not found")
		equal(t, "how it stands", []bool{listed().Installed, listed().Enabled, botActive()}, []bool{false, false, false})
	})

	t.Run("c_ad_02_what_is_not_installed_has_nothing_to_end", func(t *testing.T) {
		const text = "app nobody is not installed: not found"
		resp, err := s.admin.UninstallApp("nobody")
		bad(t, err, "failed to get app, appID: nobody: "+text)
		equal(t, "status", resp.StatusCode, http.StatusNotFound)
		for _, act := range []func(apps.AppID) (*model.Response, error){s.admin.EnableApp, s.admin.DisableApp} {
			resp, err = act("nobody")
			bad(t, err, "failed to get app. appID: nobody: "+text)
			equal(t, "status", resp.StatusCode, http.StatusNotFound)
		}
		_, resp, err = s.user.GetApp("nobody")
		bad(t, err, text)
		equal(t, "status", resp.StatusCode, http.StatusNotFound)
		for _, id := range []apps.AppID{"", "a/b", "../bot-ids"} {
			_, resp, err = s.user.GetApp(id)
			bad(t, err, "404 page not found")
			equal(t, "status", resp.StatusCode, http.StatusNotFound)
		}
	})

	t.Run("a_listing_that_breaks_rules_names_them_all", func(t *testing.T) {
		_, resp, err := s.admin.UpdateAppListing(appclient.UpdateAppListingRequest{
			Manifest: apps.Manifest{
				AppID: "a b", RequestedPermissions: apps.Permissions{apps.PermissionRemoteOAuth2},
			}, Replace: true,
		})
		equal(t, "status", resp.StatusCode, http.StatusBadRequest)
		// What the server says must be what the driver's own check says, which is the original's.
		own := apps.Manifest{
			AppID: "a b", RequestedPermissions: apps.Permissions{apps.PermissionRemoteOAuth2},
		}.Validate()
		bad(t, err, own.Error()+": invalid input")
	})

	t.Run("an_app_that_does_not_answer_is_not_installed", func(t *testing.T) {
		p := newProbe(t, "silent", nil)
		s.list(t, p.Manifest)
		p.serve("/ping", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		_, resp, err := s.admin.InstallApp(p.id, apps.DeployHTTP)
		truth(t, err != nil && strings.HasPrefix(err.Error(), "failed to install, /ping path is not accessible: "), "%v", err)
		equal(t, "status", resp.StatusCode, http.StatusInternalServerError)
		_, _, err = s.admin.GetApp(p.id)
		bad(t, err, "app silent is not installed: not found")
		// Without a ping of its own it is there all the same.
		p.serve("/ping", http.NotFound)
		_, _, err = s.admin.InstallApp(p.id, apps.DeployHTTP)
		good(t, err)
	})

	t.Run("c_ad_01_a_bots_name_is_its_apps_or_the_next_that_is_free", func(t *testing.T) {
		for id, name := range map[apps.AppID]string{"Capitals.1": "capitals.1", "user-2": "user-2-app", "under_score": "under_score"} {
			p := newProbe(t, id, nil)
			app := s.install(t, p.Manifest)
			equal(t, "the bot's name", app.BotUsername, name)
			bot, _, err := s.admin.v4.GetUser(app.BotUserID, "")
			good(t, err)
			equal(t, "the bot", []any{bot.Username, bot.IsBot, bot.BotDescription},
				[]any{name, true, "Bot account for `tests App's OAuth2 APIs` App."})
			cc := p.acts(t, s.user)
			equal(t, "the App's path", cc.AppPath, "/plugins/com.mattermost.apps/apps/"+string(id))
			good(t, appclient.AsActingUser(cc).StoreOAuth2User("of "+name))
			equal(t, "the record", p.oauth2(t, s.user).User, any("of "+name))
			s.uninstall(t, id)
		}
	})

	t.Run("c_ad_01_c_ad_02_an_app_that_fails_its_own_callbacks_is_installed_disabled_and_enabled_all_the_same", func(t *testing.T) {
		p := newProbe(t, "clumsy", func(manifest *apps.Manifest) {
			manifest.OnInstall, manifest.OnDisable, manifest.OnEnable = apps.NewCall("/oops"), apps.NewCall("/oops"), apps.NewCall("/oops")
		})
		p.answer("/oops", func(goapp.CallRequest) apps.CallResponse {
			return apps.CallResponse{Type: apps.CallResponseTypeError, Text: "oops"}
		})
		s.install(t, p.Manifest)
		_, err := s.admin.DisableApp(p.id)
		good(t, err)
		_, err = s.admin.EnableApp(p.id)
		good(t, err)
		equal(t, "how often it was called", len(p.heard("/oops")), 3)
		done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/send")}))
		s.uninstall(t, p.id)
	})

	t.Run("c_rb_01_an_app_installed_again_under_a_new_name_renames_its_bot", func(t *testing.T) {
		var bots []string
		for _, name := range []string{"First Name", "Second Name"} {
			p := newProbe(t, "renamed", func(manifest *apps.Manifest) { manifest.DisplayName = name })
			app := s.install(t, p.Manifest)
			bot, _, err := s.admin.v4.GetUserByUsername("renamed", "")
			good(t, err)
			equal(t, "the bot's name", bot.FirstName, name)
			bots = append(bots, app.BotUserID, bot.Id)
			s.uninstall(t, "renamed")
		}
		for _, bot := range bots {
			equal(t, "the bot", bot, bots[0])
		}
	})
}

func TestLifecycleCalls(t *testing.T) {
	s := start(t)
	expand := asActingUser()
	expand.ActingUser, expand.ActingUserAccessToken = expand.ActingUser.Required(), expand.ActingUserAccessToken.Required()
	p := newProbe(t, "uninstalltest", func(manifest *apps.Manifest) {
		manifest.OnInstall = apps.NewCall("/installed").WithExpand(expand)
		manifest.OnUninstall = apps.NewCall("/leaving").WithExpand(expand)
		manifest.OnEnable = apps.NewCall("/enabled").WithExpand(expand)
		manifest.OnDisable = apps.NewCall("/disabled").WithExpand(expand)
	})
	stores := func(creq goapp.CallRequest) apps.CallResponse {
		if err := creq.AsActingUser().StoreOAuth2App(testApp()); err != nil {
			return apps.NewErrorResponse(err)
		}
		if err := creq.AsActingUser().StoreOAuth2User("testing"); err != nil {
			return apps.NewErrorResponse(err)
		}
		return apps.NewTextResponse("installed")
	}
	p.answer("/installed", stores)

	t.Run("c_oa_18_both_records_can_be_stored_while_the_app_is_being_installed", func(t *testing.T) {
		s.install(t, p.Manifest)
		cc := p.last(t, "/installed").request(t).Context
		equal(t, "who installs", cc.ActingUser.Id, s.admin.id)
		truth(t, cc.ActingUser.Id != cc.BotUserID && cc.ActingUserAccessToken != "", "%s", shown(cc))
		known := p.oauth2(t, s.admin)
		equal(t, "the App's record", known.OAuth2App, testApp())
		equal(t, "the user's record", known.User, any("testing"))
		var got string
		good(t, appclient.AsActingUser(p.acts(t, s.admin)).GetOAuth2User(&got))
		equal(t, "the user's record", got, "testing")
	})

	t.Run("disabling_and_enabling_call_the_app_and_keep_what_it_stored", func(t *testing.T) {
		p.answer("/disabled", func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("so long") })
		p.answer("/enabled", func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("hello again") })
		for _, step := range []struct{ route, path, text string }{
			{appspath.DisableApp, "/disabled", "so long"},
			{appspath.EnableApp, "/enabled", "hello again"},
		} {
			// The driver ignores the text; a client that shows it gets the App's.
			resp, err := s.admin.DoAPIPOST(api(step.route), `{"app_id":"uninstalltest"}`)
			good(t, err)
			equal(t, "what is said", strings.TrimSpace(body(t, resp)), step.text)
			equal(t, "who does it", p.last(t, step.path).request(t).Context.ActingUser.Id, s.admin.id)
		}
		equal(t, "the user's record", p.oauth2(t, s.admin).User, any("testing"))
	})

	t.Run("a_token_of_before_opens_nothing_once_the_app_is_disabled", func(t *testing.T) {
		client := appclient.AsActingUser(p.acts(t, s.user))
		good(t, client.StoreOAuth2User("mine"))
		_, err := s.admin.DisableApp(p.id)
		good(t, err)
		bad(t, client.StoreOAuth2User("late"), noUser)
		_, err = s.admin.EnableApp(p.id)
		good(t, err)
		equal(t, "the user's record", p.oauth2(t, s.user).User, any("mine"))
	})

	t.Run("an_app_that_says_no_is_not_uninstalled", func(t *testing.T) {
		p.answer("/leaving", func(goapp.CallRequest) apps.CallResponse {
			return apps.CallResponse{Type: apps.CallResponseTypeError, Text: "not today"}
		})
		resp, err := s.admin.UninstallApp(p.id)
		bad(t, err, "app canceled uninstall request: not today")
		equal(t, "status", resp.StatusCode, http.StatusInternalServerError)
		equal(t, "the user's record", p.oauth2(t, s.admin).User, any("testing"))
		p.answer("/leaving", func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("bye") })
	})

	t.Run("c_oa_19_uninstalling_removes_the_records", func(t *testing.T) {
		client := appclient.AsActingUser(p.acts(t, s.user))
		good(t, client.StoreOAuth2User("mine"))
		s.uninstall(t, p.id)
		equal(t, "who leaves", p.last(t, "/leaving").request(t).Context.ActingUser.Id, s.admin.id)
		var got any
		bad(t, client.GetOAuth2User(&got), noUser)
		p.answer("/installed", func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("nothing stored") })
		s.install(t, p.Manifest)
		for _, who := range []*person{s.admin, s.user} {
			known := p.oauth2(t, who)
			equal(t, "the App's record", known.OAuth2App, apps.OAuth2App{})
			equal(t, "the user's record", known.User, nil)
			bad(t, appclient.AsActingUser(p.acts(t, who)).GetOAuth2User(&got), nothing)
		}
	})

	t.Run("installing_again_keeps_the_records_and_the_secrets_and_enables", func(t *testing.T) {
		p.answer("/installed", stores)
		before := s.install(t, p.Manifest)
		p.answer("/installed", func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("nothing stored") })
		_, err := s.admin.DisableApp(p.id)
		good(t, err)
		after := s.install(t, p.Manifest)
		equal(t, "disabled", after.Disabled, false)
		// The original makes a new one each time, and senders that have the old one are turned away (B-31).
		equal(t, "the webhook's secret", after.WebhookSecret, before.WebhookSecret)
		equal(t, "the client at the site", after.MattermostOAuth2, before.MattermostOAuth2)
		equal(t, "the bot", after.BotUserID, before.BotUserID)
		known := p.oauth2(t, s.admin)
		equal(t, "the App's record", known.OAuth2App, testApp())
		equal(t, "the user's record", known.User, any("testing"))
	})
}
