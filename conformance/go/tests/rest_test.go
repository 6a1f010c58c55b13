package tests

import (
	"errors"
	"net/http"
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	"github.com/mattermost/mattermost-server/v6/model"
)

// TestRest uses the other half of the driver's client, the site's own interface, as an App does: with the tokens of a call.
func TestRest(t *testing.T) {
	s := start(t)
	p := newProbe(t, "resttest", nil)
	s.install(t, p.Manifest)
	w := newWorld(t, s)
	cc := p.acts(t, s.user)
	asUser, asBot := appclient.AsActingUser(cc).Client4, appclient.AsBot(cc).Client4

	t.Run("people_are_found_by_id_and_name", func(t *testing.T) {
		user, _, err := asUser.GetUser(s.other.id, "")
		good(t, err)
		byName, _, err := asUser.GetUserByUsername("user-2", "")
		good(t, err)
		equal(t, "by name", byName, user)
		users, _, err := asUser.GetUsersByIds([]string{s.other.id, "aaaaaaaaaaaaaaaaaaaaaaaaaa"})
		good(t, err)
		equal(t, "by ids", users, []*model.User{user})
		_, resp, err := asUser.GetUser("aaaaaaaaaaaaaaaaaaaaaaaaaa", "")
		truth(t, err != nil && resp.StatusCode == http.StatusNotFound, "%v", err)
		roles, _, err := asUser.GetRolesByNames([]string{"system_user"})
		good(t, err)
		truth(t, len(roles) == 1 && roles[0].Name == "system_user", "%s", shown(roles))
		preferences, _, err := asUser.GetPreferences(s.user.id)
		good(t, err)
		equal(t, "preferences", len(preferences), 0)
	})

	t.Run("what_is_not_there_is_an_error_of_the_sites_kind", func(t *testing.T) {
		_, _, unknown := asUser.GetUser("aaaaaaaaaaaaaaaaaaaaaaaaaa", "")
		_, _, missing := asUser.GetUserByEmail("user-2@example.com", "")
		_, _, refused := model.NewAPIv4Client(s.url).GetMe("")
		_, _, forbidden := asBot.GetPostsForChannel(w.channel.Id, 0, 10, "", false, false)
		for err, status := range map[error]int{
			unknown: http.StatusNotFound, missing: http.StatusNotFound, refused: http.StatusUnauthorized, forbidden: http.StatusForbidden,
		} {
			var told *model.AppError
			truth(t, errors.As(err, &told), "%T %v", err, err)
			equal(t, "status", told.StatusCode, status)
			truth(t, told.Id != "" && told.Message != "", "%s", shown(told))
		}
	})

	t.Run("teams_and_channels_are_found", func(t *testing.T) {
		team, _, err := asUser.GetTeam(w.team.Id, "")
		good(t, err)
		byName, _, err := asUser.GetTeamByName(w.team.Name, "")
		good(t, err)
		equal(t, "the team", []*model.Team{team, byName}, []*model.Team{w.team, w.team})
		members, _, err := asUser.GetTeamMembersForUser(s.user.id, "")
		good(t, err)
		equal(t, "memberships", members, []*model.TeamMember{w.teamMember})
		channels, _, err := asUser.GetChannelsForTeamForUser(w.team.Id, s.user.id, false, "")
		good(t, err)
		truth(t, len(channels) >= 2, "%s", shown(channels))
		ofUser, _, err := asUser.GetChannelMembersForUser(s.user.id, w.team.Id, "")
		good(t, err)
		equal(t, "memberships in channels", len(ofUser), len(channels))
		inChannel, _, err := asUser.GetChannelMembers(w.channel.Id, 0, 100, "")
		good(t, err)
		found := false
		for _, member := range inChannel {
			found = found || member.UserId == s.user.id
		}
		truth(t, found, "%s", shown(inChannel))
	})

	t.Run("a_bot_that_was_let_in_writes_in_a_channel", func(t *testing.T) {
		_, resp, err := asBot.CreatePost(&model.Post{ChannelId: w.channel.Id, Message: "not yet"})
		truth(t, err != nil && resp.StatusCode == http.StatusForbidden, "%v", err)
		_, _, err = s.admin.v4.AddTeamMember(w.team.Id, cc.BotUserID)
		good(t, err)
		_, _, err = s.admin.v4.AddChannelMember(w.channel.Id, cc.BotUserID)
		good(t, err)
		post, err := appclient.AsBot(cc).CreatePost(&model.Post{
			ChannelId: w.channel.Id, Message: "now",
			Props: model.StringInterface{apps.PropAppBindings: []any{map[string]any{"label": "x"}}},
		})
		good(t, err)
		equal(t, "who wrote it", post.UserId, cc.BotUserID)
		again, _, err := asUser.GetPost(post.Id, "")
		good(t, err)
		equal(t, "the post", again.Message, "now")
		equal(t, "what is embedded", again.GetProp(apps.PropAppBindings), any([]any{map[string]any{"label": "x"}}))
	})

	t.Run("the_site_tells_of_itself", func(t *testing.T) {
		status, _, err := asUser.GetPing()
		good(t, err)
		equal(t, "the ping", status, model.StatusOk)
		config, _, err := asUser.GetOldClientConfig("")
		good(t, err)
		equal(t, "the address", config["SiteURL"], s.url)
		_, _, err = asUser.GetOldClientLicense("")
		good(t, err)
	})

	t.Run("who_is_turned_off_or_signs_out_has_no_app_that_acts_for_them", func(t *testing.T) {
		client := appclient.AsActingUser(p.acts(t, s.other))
		good(t, client.StoreOAuth2User("mine"))
		_, err := s.admin.v4.UpdateUserActive(s.other.id, false)
		good(t, err)
		var got string
		bad(t, client.GetOAuth2User(&got), noUser)
		_, err = s.admin.v4.UpdateUserActive(s.other.id, true)
		good(t, err)
		back := s.signIn(t, "user-2")
		good(t, appclient.AsActingUser(p.acts(t, back)).GetOAuth2User(&got))
		equal(t, "the record", got, "mine")
		_, err = back.v4.Logout()
		good(t, err)
		_, resp, err := back.v4.GetMe("")
		truth(t, err != nil && resp.StatusCode == http.StatusUnauthorized, "%v", err)
		_, _, err = back.GetApp(p.id)
		bad(t, err, noUser)
	})

	t.Run("c_oa_13_who_is_no_administrator_any_more_stores_no_app_record", func(t *testing.T) {
		second := s.signIn(t, "user-2")
		_, err := s.admin.v4.UpdateUserRoles(second.id, "system_user system_admin")
		good(t, err)
		client := appclient.AsActingUser(p.acts(t, second))
		good(t, client.StoreOAuth2App(testApp()))
		_, err = s.admin.v4.UpdateUserRoles(second.id, "system_user")
		good(t, err)
		bad(t, client.StoreOAuth2App(apps.OAuth2App{ClientID: "late"}), notAdmin)
		equal(t, "the App's record", p.oauth2(t, s.user).OAuth2App, testApp())
	})
}
