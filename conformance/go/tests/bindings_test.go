package tests

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
)

const bindingsID = apps.AppID("bindingstest")

// shownBindings is what a client draws, and what is wrong with it.
type shownBindings struct {
	Bindings []apps.Binding `json:"bindings"`
	Error    string         `json:"error"`
}

// bindings asks as somebody who tests. The driver has no method for it, so that its requests do it, as in the
// original's own tests.
func (s *site) bindings(t testing.TB, who *person, query url.Values) shownBindings {
	t.Helper()
	if query == nil {
		query = url.Values{}
	}
	query.Set("test", "true")
	resp, err := who.DoAPIGET(api("/bindings")+"?"+query.Encode(), "")
	good(t, err)
	equal(t, "status", resp.StatusCode, http.StatusOK)
	var found shownBindings
	good(t, json.Unmarshal([]byte(body(t, resp)), &found))
	return found
}

// everywhere is one binding in each of the top locations, out of order.
func everywhere() []apps.Binding {
	child := func(location apps.Location) []apps.Binding {
		return []apps.Binding{{Location: location, Icon: "i.png", Submit: apps.NewCall("/do")}}
	}
	return []apps.Binding{
		{Location: apps.LocationPostMenu, Bindings: child("menu")},
		{Location: apps.LocationCommand, Bindings: child("cmd")},
		{Location: apps.LocationChannelHeader, Bindings: child("button")},
	}
}

// binder is an App that may bind to these locations and answers with these bindings.
func binder(t testing.TB, s *site, id apps.AppID, granted apps.Locations, bindings []apps.Binding, options ...goapp.AppOption) *probe {
	t.Helper()
	options = append(options, goapp.TestWithBindingsHandler(func(goapp.CallRequest) apps.CallResponse {
		return apps.NewDataResponse(bindings)
	}))
	p := newProbe(t, id, func(manifest *apps.Manifest) { manifest.RequestedLocations = granted }, options...)
	s.install(t, p.Manifest)
	return p
}

func locations(bindings []apps.Binding) apps.Locations {
	found := apps.Locations{}
	for _, binding := range bindings {
		found = append(found, binding.Location)
	}
	return found
}

const notGranted = ": location is not granted: forbidden"

func TestBindings(t *testing.T) {
	s := start(t)
	tops := apps.Locations{apps.LocationChannelHeader, apps.LocationCommand, apps.LocationPostMenu}

	t.Run("c_bn_01_the_tree_comes_back_filled_in_and_the_app_sees_where_it_was_asked", func(t *testing.T) {
		call := apps.NewCall("/do").WithState(map[string]any{"n": "1"})
		p := binder(t, s, bindingsID, tops,
			[]apps.Binding{{Location: apps.LocationCommand, Bindings: []apps.Binding{{Location: "base", Bindings: []apps.Binding{
				{Location: "one", Submit: call},
				{Location: "two", Label: "zwei", Form: &apps.Form{Submit: call, Fields: []apps.Field{{Type: apps.FieldTypeText, Name: "a_b"}}}},
			}}}}},
			goapp.WithBindingsExpand(&apps.Expand{
				ActingUser:            apps.ExpandSummary.Required(),
				ActingUserAccessToken: apps.ExpandAll.Required(),
				Channel:               apps.ExpandSummary.Required(),
				ChannelMember:         apps.ExpandSummary.Required(),
				Team:                  apps.ExpandSummary.Required(),
				TeamMember:            apps.ExpandSummary.Required(),
			}))
		teams, _, err := s.user.v4.GetTeamsForUser(s.user.id, "")
		good(t, err)
		team := teams[0]
		channel, _, err := s.user.v4.GetChannelByName("town-square", team.Id, "")
		good(t, err)
		found := s.bindings(t, s.user, url.Values{
			"team_id": {team.Id}, "channel_id": {channel.Id}, "user_agent_type": {"test-agent"},
		})
		equal(t, "what is shown", found, shownBindings{Bindings: []apps.Binding{
			{Location: apps.LocationCommand, Bindings: []apps.Binding{
				{AppID: bindingsID, Location: "base", Label: "base", Bindings: []apps.Binding{
					{AppID: bindingsID, Location: "one", Label: "one", Submit: call},
					{AppID: bindingsID, Location: "two", Label: "zwei", Form: &apps.Form{Submit: call, Fields: []apps.Field{
						{Type: apps.FieldTypeText, Name: "a_b", Label: "a-b"},
					}}},
				}},
			}},
		}})
		cc := p.last(t, "/bindings").request(t).Context
		equal(t, "who asked", cc.ActingUser.Id, s.user.id)
		truth(t, cc.ActingUserAccessToken != "", "no token")
		equal(t, "the team", cc.Team.Id, team.Id)
		equal(t, "the team's name", cc.Team.Name, team.Name)
		equal(t, "the channel", cc.Channel.Id, channel.Id)
		equal(t, "the channel's name", cc.Channel.Name, "town-square")
		equal(t, "the team of the membership", cc.TeamMember.TeamId, team.Id)
		equal(t, "the channel of the membership", cc.ChannelMember.ChannelId, channel.Id)
		equal(t, "the user agent", cc.UserAgent, "test-agent")
		// Without the place there is nothing to expand, and the App is not asked.
		before := len(p.heard("/bindings"))
		found = s.bindings(t, s.user, nil)
		equal(t, "what is shown", len(found.Bindings), 0)
		contains(t, found.Error, "failed to expand required channel_member: no user ID or channel ID to expand")
		equal(t, "how often the App was asked", len(p.heard("/bindings")), before)
		s.uninstall(t, bindingsID)
	})

	t.Run("c_bn_02_all_that_was_requested_comes_back_in_order", func(t *testing.T) {
		// With goapp's own bindings, which put the same form into all three.
		form := func(name string) goapp.Bindable {
			return goapp.MakeBindableFormOrPanic(name, apps.Form{Icon: "i.png", Fields: []apps.Field{{Type: apps.FieldTypeText, Name: "test"}}},
				func(goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("done") })
		}
		p := newProbe(t, bindingsID, func(manifest *apps.Manifest) { manifest.Icon = "i.png" },
			goapp.WithStatic(icons()), goapp.WithPostMenu(form("menu")), goapp.WithCommand(form("word")), goapp.WithChannelHeader(form("button")))
		s.install(t, p.Manifest)
		found := s.bindings(t, s.user, nil)
		equal(t, "problems", found.Error, "")
		equal(t, "locations", locations(found.Bindings), tops)
		for _, top := range found.Bindings {
			equal(t, "whose", top.Bindings[0].AppID, bindingsID)
			equal(t, "icon", top.Bindings[0].Icon, s.url+"/plugins/com.mattermost.apps/apps/bindingstest/static/i.png")
		}
		// Who does not test gets the list alone.
		resp, err := s.user.DoAPIGET(api("/bindings"), "")
		good(t, err)
		var list []apps.Binding
		good(t, json.Unmarshal([]byte(body(t, resp)), &list))
		equal(t, "the list", list, found.Bindings)
		s.uninstall(t, bindingsID)
	})

	t.Run("c_bn_03_an_app_without_locations_is_not_even_asked", func(t *testing.T) {
		p := binder(t, s, bindingsID, nil, everywhere())
		found := s.bindings(t, s.user, nil)
		equal(t, "what is shown", found, shownBindings{
			Error: "1 error occurred:\n\t* no location granted to bind to: forbidden\n\n",
		})
		equal(t, "what the App heard", len(p.heard("/bindings")), 0)
		s.uninstall(t, bindingsID)
	})

	only := func(name string, granted apps.Locations, text string) {
		t.Run(name, func(t *testing.T) {
			binder(t, s, bindingsID, granted, everywhere())
			found := s.bindings(t, s.user, nil)
			equal(t, "locations", locations(found.Bindings), granted)
			equal(t, "problems", found.Error, text)
			s.uninstall(t, bindingsID)
		})
	}
	only("c_bn_04_only_commands_were_requested", apps.Locations{apps.LocationCommand},
		"2 errors occurred:\n\t* /post_menu"+notGranted+"\n\t* /channel_header"+notGranted+"\n\n")
	only("c_bn_05_only_the_channel_header_was_requested", apps.Locations{apps.LocationChannelHeader},
		"2 errors occurred:\n\t* /post_menu"+notGranted+"\n\t* /command"+notGranted+"\n\n")
	only("c_bn_06_only_the_post_menu_was_requested", apps.Locations{apps.LocationPostMenu},
		"2 errors occurred:\n\t* /command"+notGranted+"\n\t* /channel_header"+notGranted+"\n\n")
	only("c_bn_07_two_were_requested", apps.Locations{apps.LocationCommand, apps.LocationPostMenu},
		"1 error occurred:\n\t* /channel_header"+notGranted+"\n\n")

	t.Run("c_bn_08_a_disabled_app_is_not_asked", func(t *testing.T) {
		p := binder(t, s, bindingsID, tops, everywhere())
		equal(t, "locations", locations(s.bindings(t, s.user, nil).Bindings), tops)
		_, err := s.admin.DisableApp(bindingsID)
		good(t, err)
		before := len(p.heard("/bindings"))
		equal(t, "what is shown", s.bindings(t, s.user, nil), shownBindings{})
		equal(t, "how often the App was asked", len(p.heard("/bindings")), before)
		s.uninstall(t, bindingsID)
	})

	t.Run("c_bn_09_commands_of_several_apps_are_one_entry_with_their_icons", func(t *testing.T) {
		command := func(name apps.Location, icon string) []apps.Binding {
			return []apps.Binding{{Location: apps.LocationCommand, Bindings: []apps.Binding{
				{Location: name, Icon: icon, Submit: apps.NewCall("/do")},
			}}}
		}
		commands := apps.Locations{apps.LocationCommand}
		binder(t, s, bindingsID, commands, command("zebra", "https://elsewhere.example/i.png"))
		binder(t, s, "another", commands, command("ant", "nested/my icon.png"))
		equal(t, "what is shown", s.bindings(t, s.user, nil), shownBindings{Bindings: []apps.Binding{
			{Location: apps.LocationCommand, Bindings: []apps.Binding{
				{AppID: "another", Location: "ant", Label: "ant", Submit: apps.NewCall("/do"),
					Icon: s.url + "/plugins/com.mattermost.apps/apps/another/static/nested/my%20icon.png"},
				{AppID: bindingsID, Location: "zebra", Label: "zebra", Submit: apps.NewCall("/do"),
					Icon: "https://elsewhere.example/i.png"},
			}},
		}})
		s.uninstall(t, bindingsID)
		s.uninstall(t, "another")
	})

	t.Run("who_is_not_signed_in_gets_null", func(t *testing.T) {
		resp, err := s.nobody().DoAPIGET(api("/bindings"), "")
		good(t, err)
		equal(t, "what is shown", body(t, resp), "null\n")
	})
}
