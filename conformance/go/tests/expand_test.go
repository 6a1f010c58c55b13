package tests

import (
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-server/v6/model"
)

// world is a place on a site, with a thread in it.
type world struct {
	team          *model.Team
	teamMember    *model.TeamMember
	channel       *model.Channel
	channelMember *model.ChannelMember
	root, post    *model.Post
}

func newWorld(t testing.TB, s *site) world {
	t.Helper()
	var w world
	teams, _, err := s.user.v4.GetTeamsForUser(s.user.id, "")
	good(t, err)
	w.team = teams[0]
	w.channel, _, err = s.user.v4.GetChannelByName("town-square", w.team.Id, "")
	good(t, err)
	root, _, err := s.other.v4.CreatePost(&model.Post{ChannelId: w.channel.Id, Message: "Shall we?"})
	good(t, err)
	post, _, err := s.user.v4.CreatePost(&model.Post{
		ChannelId: w.channel.Id, RootId: root.Id, Message: "Yes <b>",
		Props: model.StringInterface{"disable_group_highlight": true},
	})
	good(t, err)
	// As they are now: a new post changes what was there before.
	w.root, _, err = s.user.v4.GetPost(root.Id, "")
	good(t, err)
	w.post, _, err = s.user.v4.GetPost(post.Id, "")
	good(t, err)
	w.channel, _, err = s.user.v4.GetChannel(w.channel.Id, "")
	good(t, err)
	w.teamMember, _, err = s.user.v4.GetTeamMember(w.team.Id, s.user.id, "")
	good(t, err)
	w.channelMember, _, err = s.user.v4.GetChannelMember(w.channel.Id, s.user.id, "")
	good(t, err)
	return w
}

// TestExpand compares what an App hears with what the driver's own package makes of what the site's interface tells:
// that package has the original's rules for each level.
func TestExpand(t *testing.T) {
	s := start(t)
	p := newProbe(t, "expandtest", nil)
	installed := s.install(t, p.Manifest)
	w := newWorld(t, s)
	self, _, err := s.user.v4.GetMe("")
	good(t, err)

	hears := func(t *testing.T, who *person, level apps.ExpandLevel) apps.ExpandedContext {
		t.Helper()
		creq := apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(apps.Expand{
			App: level, ActingUser: level, ActingUserAccessToken: level, Locale: level,
			Channel: level, ChannelMember: level, Team: level, TeamMember: level,
			Post: level, RootPost: level, User: level, OAuth2App: level, OAuth2User: level,
		})}
		creq.Context.TeamID, creq.Context.ChannelID = w.team.Id, w.channel.Id
		creq.Context.PostID, creq.Context.RootPostID, creq.Context.UserID = w.post.Id, w.root.Id, s.user.id
		done(t, who.calls(t, p.id, creq))
		got := p.last(t, "/hear").request(t).Context
		equal(t, "what a user agent said", got.UserAgentContext, apps.UserAgentContext{})
		return got.ExpandedContext
	}

	for _, level := range []apps.ExpandLevel{apps.ExpandNone, apps.ExpandID, apps.ExpandSummary, apps.ExpandAll} {
		name := string(level)
		if name == "" {
			name = "nothing"
		}
		ids := "c_ex_01_c_ex_06_"
		if level == apps.ExpandNone {
			ids = "c_ex_02_"
		}
		t.Run(ids+"an_app_hears_of_each_entity_at_level_"+name, func(t *testing.T) {
			for _, who := range []*person{s.user, s.admin} {
				got := hears(t, who, level)
				acting, _, err := who.v4.GetMe("")
				good(t, err)
				equal(t, "acting user", got.ActingUser, apps.StripUser(acting, level))
				// An administrator sees more of it than others.
				team, _, err := who.v4.GetTeam(w.team.Id, "")
				good(t, err)
				equal(t, "team", got.Team, apps.StripTeam(team, level))
				equal(t, "team member", got.TeamMember, apps.StripTeamMember(w.teamMember, level))
				equal(t, "channel", got.Channel, apps.StripChannel(w.channel, level))
				equal(t, "channel member", got.ChannelMember, apps.StripChannelMember(w.channelMember, level))
				equal(t, "post", got.Post, apps.StripPost(w.post, level))
				equal(t, "root post", got.RootPost, apps.StripPost(w.root, level))
				if who == s.user {
					equal(t, "user", got.User, apps.StripUser(self, level))
				}
				app := installed.Strip(level)
				if app != nil && who != s.admin {
					app.WebhookSecret = ""
				}
				equal(t, "the App", got.App, app)
				locale := ""
				if level != apps.ExpandNone {
					locale = "en"
				}
				equal(t, "locale", got.Locale, locale)
				equal(t, "whether there is a token", got.ActingUserAccessToken != "", level == apps.ExpandAll)
				equal(t, "whether there is an address", got.OAuth2.ConnectURL != "", level == apps.ExpandAll)
				truth(t, got.BotAccessToken != "" && got.BotUserID == installed.BotUserID, "no bot")
			}
		})
	}

	t.Run("c_ex_04_an_unknown_level_is_named", func(t *testing.T) {
		for _, level := range []apps.ExpandLevel{"everything", "+everything"} {
			cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(apps.Expand{Team: level})})
			failed(t, cresp, `failed to expand context: "everything" is not a known expand level`)
		}
		// The driver's documentation has these two, which the original does not know (B-04).
		for _, level := range []apps.ExpandLevel{"none", "-all"} {
			done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(apps.Expand{Team: level})}))
		}
	})

	t.Run("c_ex_11_what_the_user_agent_says_of_itself_stays", func(t *testing.T) {
		creq := apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(apps.Expand{ActingUser: apps.ExpandAll})}
		creq.Context.UserAgent, creq.Context.TrackAsSubmit = "mobile", true
		done(t, s.user.calls(t, p.id, creq))
		equal(t, "the user agent", p.last(t, "/hear").request(t).Context.UserAgentContext,
			apps.UserAgentContext{UserAgent: "mobile", TrackAsSubmit: true})
	})

	t.Run("c_ex_07_what_is_required_and_is_not_there_fails_the_call", func(t *testing.T) {
		for text, expand := range map[string]apps.Expand{
			"team: no team ID to expand":                         {Team: apps.ExpandSummary.Required()},
			"channel: no channel ID to expand":                   {Channel: apps.ExpandAll.Required()},
			"post: no post ID to expand":                         {Post: apps.ExpandID.Required()},
			"root_post: no post ID to expand":                    {RootPost: apps.ExpandAll.Required()},
			"user: no user ID to expand":                         {User: apps.ExpandSummary.Required()},
			"channel_member: no user ID or channel ID to expand": {ChannelMember: apps.ExpandAll.Required()},
			"team_member: no user ID or channel ID to expand":    {TeamMember: apps.ExpandAll.Required()},
		} {
			before := len(p.heard("/hear"))
			cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(expand)})
			failed(t, cresp, "failed to expand context: failed to expand required "+text)
			equal(t, "how often the App heard", len(p.heard("/hear")), before)
		}
	})

	t.Run("c_ex_03_where_somebody_may_not_look_their_app_may_not", func(t *testing.T) {
		// A direct channel of two others.
		channel, _, err := s.admin.v4.CreateDirectChannel(s.admin.id, s.other.id)
		good(t, err)
		for _, level := range []apps.ExpandLevel{apps.ExpandAll, apps.ExpandAll.Required()} {
			creq := apps.CallRequest{Call: *apps.NewCall("/hear").WithExpand(apps.Expand{
				ActingUserAccessToken: apps.ExpandAll, Channel: level,
			})}
			creq.Context.ChannelID = channel.Id
			cresp := s.user.calls(t, p.id, creq)
			if level == apps.ExpandAll {
				done(t, cresp)
				truth(t, p.last(t, "/hear").request(t).Context.Channel == nil, "the channel is shown")
			} else {
				equal(t, "type", cresp.Type, apps.CallResponseTypeError)
				contains(t, cresp.Text, "failed to expand context: failed to expand required channel: id: "+channel.Id+": ")
			}
		}
	})
}
