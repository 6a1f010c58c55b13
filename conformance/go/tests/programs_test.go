package tests

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dgrijalva/jwt-go"
	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
)

const module = "github.com/mattermost/mattermost-plugin-apps/"

// program builds one of the module's own Apps, as it is, and runs it. Gives its manifest, as it serves it.
func program(t *testing.T, path string) apps.Manifest {
	t.Helper()
	built := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", built, module+path)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s does not build: %v\n%s", path, err, text)
	}
	// It listens where it is told, and cannot tell where that is: so a port is found for it.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	good(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	good(t, free.Close())
	root := "http://127.0.0.1:" + strconv.Itoa(port)
	cmd := exec.Command(built)
	cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(port), "ROOT_URL="+root)
	log := new(output)
	cmd.Stdout, cmd.Stderr = log, log
	good(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the App's log:\n%s", log)
		}
	})
	patience := time.Now().Add(time.Minute)
	for {
		resp, err := http.Get(root + "/manifest.json")
		if err == nil {
			var manifest apps.Manifest
			defer resp.Body.Close()
			good(t, json.NewDecoder(resp.Body).Decode(&manifest))
			return manifest
		}
		select {
		case err = <-ended:
			ended <- err
			t.Fatalf("the App ended: %v\n%s", err, log)
		default:
			truth(t, time.Now().Before(patience), "the App is not there: %v\n%s", err, log)
		}
	}
}

// TestPrograms runs Apps of the driver's authors, which nobody here changed.
func TestPrograms(t *testing.T) {
	s := start(t)

	t.Run("hello_world_on_goapp_is_installed_and_writes_to_who_calls", func(t *testing.T) {
		manifest := program(t, "goapp/hello-world")
		app := s.install(t, manifest)
		found := s.bindings(t, s.user, url.Values{"user_agent_type": {"webapp"}})
		equal(t, "problems", found.Error, "")
		equal(t, "locations", locations(found.Bindings), apps.Locations{apps.LocationChannelHeader, apps.LocationCommand})
		command := found.Bindings[1].Bindings[0]
		equal(t, "the command", command.Label, string(manifest.AppID))
		send := command.Bindings[0]
		equal(t, "its word", send.Label, "send")
		status, header, picture := s.raw(t, http.MethodGet, send.Icon, s.user.token, "")
		truth(t, status == http.StatusOK && header.Get("Content-Type") == "image/png" && strings.HasPrefix(picture, "\x89PNG"),
			"%d %s", status, header)
		cresp := s.user.calls(t, app.AppID, apps.CallRequest{
			Call: *send.Form.Submit, Values: map[string]any{"message": "something *more*"},
		})
		done(t, cresp)
		const message = "Hello from a goapp. ...and something *more*!"
		equal(t, "what it says", cresp.Text, "Created a post in your DM channel. Message: `"+message+"`.")
		channel, _, err := s.user.v4.CreateDirectChannel(s.user.id, app.BotUserID)
		good(t, err)
		posts, _, err := s.user.v4.GetPostsForChannel(channel.Id, 0, 10, "", false, false)
		good(t, err)
		equal(t, "how many posts", len(posts.Order), 1)
		equal(t, "the post", posts.Posts[posts.Order[0]].Message, message)
		s.uninstall(t, app.AppID)
	})

	t.Run("the_expand_example_answers_with_a_form_whose_call_shows_the_context", func(t *testing.T) {
		manifest := program(t, "goapp/expand")
		app := s.install(t, manifest)
		w := newWorld(t, s)
		found := s.bindings(t, s.user, nil)
		// Its selects have an option that says nothing, which is taken out of each of 13 fields in three places.
		equal(t, "problems", strings.Count(found.Error, "\t* option with neither label nor value (field "), 3*13)
		equal(t, "problems", strings.Count(found.Error, "\n\t* "), 3*13)
		equal(t, "locations", locations(found.Bindings),
			apps.Locations{apps.LocationChannelHeader, apps.LocationCommand, apps.LocationPostMenu})
		action := found.Bindings[2].Bindings[0]
		place := apps.Context{UserAgentContext: apps.UserAgentContext{
			TeamID: w.team.Id, ChannelID: w.channel.Id, PostID: w.post.Id,
		}}
		cresp := s.user.calls(t, app.AppID, apps.CallRequest{
			Call: *action.Form.Submit, Context: place,
			Values: map[string]any{
				"acting_user": map[string]any{"label": "summary", "value": "summary"},
				"channel":     map[string]any{"label": "id", "value": "id"},
				"post":        map[string]any{"label": "all", "value": "all"},
			},
		})
		equal(t, "type", cresp.Type, apps.CallResponseTypeForm)
		equal(t, "what its call expands", cresp.Form.Submit.Expand, &apps.Expand{
			ActingUser: apps.ExpandSummary, ActingUserAccessToken: apps.ExpandAll, Channel: apps.ExpandID, Post: apps.ExpandAll,
		})
		cresp = s.user.calls(t, app.AppID, apps.CallRequest{Call: *cresp.Form.Submit, Context: place})
		done(t, cresp)
		for _, part := range []string{`"username": "user-1"`, `"id": "` + w.channel.Id + `"`, `"message": "Yes \u003cb\u003e"`} {
			contains(t, cresp.Text, part)
		}
		s.uninstall(t, app.AppID)
	})
}

func TestSignedCalls(t *testing.T) {
	s := start(t)
	p := newProbe(t, "signed", nil)
	p.Manifest.Deploy.HTTP.UseJWT = true
	s.install(t, p.Manifest)
	claims := func(path string) apps.JWTClaims {
		t.Helper()
		token, found := strings.CutPrefix(p.last(t, path).header.Get(apps.OutgoingAuthHeader), "Bearer ")
		truth(t, found, "no token on %s", path)
		var claims apps.JWTClaims
		_, err := jwt.ParseWithClaims(token, &claims, func(token *jwt.Token) (any, error) {
			equal(t, "algorithm", token.Method.Alg(), "HS256")
			// A secret is given only in the dialog of `/apps install`; without one the key is empty, as in the original.
			return []byte(""), nil
		})
		good(t, err)
		truth(t, claims.ExpiresAt > time.Now().Unix(), "it ends at %d", claims.ExpiresAt)
		return claims
	}
	p.hears(t, s.user, apps.Expand{ActingUser: apps.ExpandID})
	equal(t, "for whom", claims("/hear").ActingUserID, s.user.id)
	p.hears(t, s.user, apps.Expand{})
	equal(t, "for whom", claims("/hear").ActingUserID, "")
	equal(t, "for whom", claims("/ping").ActingUserID, "")
	// goapp reads the calls all the same.
	p.answer("/id", func(creq goapp.CallRequest) apps.CallResponse { return apps.NewTextResponse("%s", creq.ActingUserID()) })
	cresp := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/id").WithExpand(apps.Expand{ActingUser: apps.ExpandID})})
	equal(t, "for whom", cresp.Text, s.user.id)
}
