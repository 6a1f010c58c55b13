package tests

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	appspath "github.com/mattermost/mattermost-plugin-apps/apps/path"
)

// bent is a text cut off at each byte, and with each of these characters put in the place of each of its bytes.
func bent(text, characters string) []string {
	var found []string
	for n := range len(text) {
		found = append(found, text[:n])
		for _, character := range characters {
			found = append(found, text[:n]+string(character)+text[n+1:])
		}
	}
	return found
}

// TestJSON compares what the server says of JSON that is none, or is odd, with what Go's own decoder and the driver's
// types say: the original is made of them.
func TestJSON(t *testing.T) {
	s := start(t)
	p := newProbe(t, storeID, nil)
	s.install(t, p.Manifest)
	asAdmin := appclient.AsActingUser(p.acts(t, s.admin))
	const app = `{"client_id":"a\u00fc","client_secret":"b","data":{"n":[1.5e3,true,null]},"x":-0}`

	t.Run("c_oa_10_every_bent_app_record_is_judged_as_by_gos_decoder", func(t *testing.T) {
		odd := []string{
			"null", " null ", "{}", "\t{}\n", `{"CLIENT_ID":"x","Client_Secret":"y"}`, `{"client_id":"1","client_id":"2"}`,
			`{"client_id":null}`, `{"client_id":{}}`, `{"client_id":[]}`, `{"client_id":true}`, `{"remote_root_url":1.5}`,
			`{"client_secret":false,"client_id":1}`, `1`, `true`, `"x"`, `[]`, `[{}]`, "\ufeff{}", "{}{}", "{},", `{"a":01}`,
			`{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\x01\"}", `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":-}`,
			`{'a':1}`, `{"a":nul}`, `{"a":tru}`, `{"a":NaN}`, `{"data":"\ud800"}`, `{"data":1e999999}`,
			`{"data":12345678901234567890123}`,
		}
		judged := 0
		for _, wrong := range append(odd, bent(app, `x",:{}[]0-.e\ n`)...) {
			var decoded apps.OAuth2App
			want := json.Unmarshal([]byte(wrong), &decoded)
			status, err := send(asAdmin, http.MethodPost, appspath.OAuth2App, wrong)
			var number *json.UnmarshalTypeError
			switch {
			case errors.As(want, &number) && strings.HasPrefix(number.Value, "number 1"):
				// Go keeps numbers as floats and refuses those that are too large for one; here they are kept as they are.
				good(t, err)
			case want == nil:
				truth(t, err == nil && status == http.StatusOK, "%q: %d %v", wrong, status, err)
			default:
				truth(t, err != nil && status == http.StatusBadRequest, "%q was taken, but is %v", wrong, want)
				equal(t, "of "+wrong, err.Error(), "OAuth2App is not valid JSON: "+want.Error()+": invalid input")
				judged++
			}
		}
		truth(t, judged > 500, "only %d were refused", judged)
	})

	t.Run("c_oa_08_every_bent_user_record_is_judged_as_by_gos_decoder", func(t *testing.T) {
		judged := 0
		for _, record := range bent(`{"access_token":"at\n-1","n":[-1.5e+3,true,null,{"a":"b"}]}`, `x",:{}[]0-.e\ n`) {
			status, err := send(asAdmin, http.MethodPost, appspath.OAuth2User, record)
			if json.Valid([]byte(record)) {
				truth(t, err == nil && status == http.StatusOK, "%q: %d %v", record, status, err)
				continue
			}
			truth(t, err != nil && status == http.StatusBadRequest, "%q was taken", record)
			equal(t, "of "+record, err.Error(), "payload is not valid JSON: invalid input")
			judged++
		}
		truth(t, judged > 300, "only %d were refused", judged)
	})

	t.Run("every_bent_call_is_judged_as_by_the_drivers_types", func(t *testing.T) {
		const call = `{"path":"/hear","expand":{"locale":"all"},"state":{"n":1},"values":{"a":["b",{"c":null}]},"context":{"app_id":"oauth2test"}}`
		judged := 0
		for _, wrong := range append(bent(call, `x",:{}[]0\ `), call+" x", "\ufeff"+call, `"/hear"`, "null", "1") {
			creq, want := apps.CallRequestFromJSONReader(strings.NewReader(wrong))
			answer, err := s.user.DoAPIPOST(api(appspath.Call), wrong)
			var syntax *json.SyntaxError
			switch {
			case want == nil && creq.Context.AppID == "":
				bad(t, err, "app ID is not set in Call request: invalid input")
			case want == nil:
				truth(t, err == nil, "%q: %v", wrong, err)
				_ = body(t, answer)
			default:
				truth(t, err != nil && answer.StatusCode == http.StatusBadRequest, "%q was taken, but is %v", wrong, want)
				// Which type did not fit is told in the original's words for its types; here it need not be.
				if errors.As(want, &syntax) || errors.Is(want, io.EOF) || errors.Is(want, io.ErrUnexpectedEOF) {
					equal(t, "of "+wrong, err.Error(), "failed to unmarshal Call request: "+want.Error()+": invalid input")
					judged++
				}
			}
		}
		truth(t, judged > 500, "only %d were refused", judged)
	})

	t.Run("an_odd_call_arrives_as_the_drivers_types_read_it", func(t *testing.T) {
		for _, odd := range []string{
			`{"PATH":"/hear","Context":{"APP_ID":"oauth2test","User_Agent":"x"},"VALUES":{"A":1}}`,
			`{"path":"/x","path":"/hear","context":{"app_id":"oauth2test"},"context":{"user_agent":"y"}}`,
			`{"path":"/hear","values":{"a":1},"values":{"b":2},"context":{"app_id":"oauth2test"}}`,
			`{"path":"/hear","state":{"a":1},"state":{"b":2},"context":{"app_id":"oauth2test"}}`,
			`{"path":"/hear","values":null,"state":null,"expand":null,"context":{"app_id":"oauth2test","location":"/command/x"}}`,
			`{"path":"/hear","values":{},"expand":{},"context":{"app_id":"oauth2test","track_as_submit":true}}`,
			`{"path":"/hear","values":{"<&>":"\u2028\u0000\ud83d\ude00","n":1e2,"d":0.1},"raw_command":"/x \"y\"","context":{"app_id":"oauth2test"}}`,
			`{"path":"/hear","unknown":{"path":"/y"},"selected_field":"f","query":"q","context":{"app_id":"oauth2test","unknown":1}} trailing`,
			`{"path":"/hear","values":{"s":"\ud800 alone"},"context":{"app_id":"oauth2test"}}`,
			`{"path":"//hear/./","expand":{"locale":"all"},"context":{"app_id":"oauth2test"}}`,
			`{"path":"/hear","values":{"deep":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `},"context":{"app_id":"oauth2test"}}`,
		} {
			want, err := apps.CallRequestFromJSONReader(strings.NewReader(odd))
			good(t, err)
			answer, err := s.user.DoAPIPOST(api(appspath.Call), odd)
			good(t, err)
			equal(t, "type", at(object(t, []byte(body(t, answer))), "type"), any("ok"))
			got := p.last(t, "/hear").odd(t)
			agent := want.Context.UserAgentContext
			agent.AppID, agent.Location = "", ""
			equal(t, "the user agent's part", got.Context.UserAgentContext, agent)
			want.Context, got.Context = apps.Context{}, apps.Context{}
			want.Path = "/hear"
			if len(want.Values) == 0 {
				want.Values = nil
			}
			equal(t, "what arrives of "+odd, got, *want)
		}
	})
}

// TestAnswers compares what a user agent gets of an App's odd answer with what the driver's types make of it.
func TestAnswers(t *testing.T) {
	s := start(t)
	p := newProbe(t, "answers", nil)
	s.install(t, p.Manifest)
	for _, odd := range []string{
		`{}`, `null`, `{"type":""}`, `{"TYPE":"ok","Text":"x"}`, `{"type":"error","type":"ok","text":"a","text":"b"}`,
		`{"type":"ok","unknown":{"a":1}} trailing`, ` {"type":"ok"}{"type":"error"}`, `{"type":null,"text":null,"data":null,"form":null,"call":null}`,
		`{"type":"ok","data":[1,"<&>\u2028",{"b":null,"a":1e2}]}`, `{"type":"ok","data":0}`, `{"type":"ok","data":false}`, `{"type":"ok","data":""}`,
		`{"type":"call","call":"/short"}`, `{"type":"call","call":{"path":"/x","expand":{"user":"all"},"state":"s"}}`,
		`{"type":"form","form":"/source"}`, `{"type":"form","form":{"source":"/source","fields":[]}}`,
		`{"type":"navigate","navigate_to_url":"javascript:alert(1)"}`, `{"type":"ok","refresh_bindings":true,"text":"\ud800"}`,
	} {
		var want apps.CallResponse
		good(t, json.NewDecoder(strings.NewReader(odd)).Decode(&want))
		if want.Type == "" {
			want.Type = apps.CallResponseTypeOK
		}
		p.says("/answer", odd)
		got := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/answer")})
		equal(t, "what arrives of "+odd, text(t, got), text(t, want))
	}
	for _, wrong := range bent(`{"type":"ok","text":"a\n","data":{"n":[-1.5e3,true,null]}}`, `x"{]\ `) {
		var decoded apps.CallResponse
		want := json.NewDecoder(strings.NewReader(wrong)).Decode(&decoded)
		p.says("/answer", wrong)
		got := s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/answer")})
		var syntax *json.SyntaxError
		switch {
		case want == nil:
			truth(t, !strings.HasPrefix(got.Text, "upstream call failed"), "%q: %s", wrong, got.Text)
		case errors.As(want, &syntax) || errors.Is(want, io.EOF) || errors.Is(want, io.ErrUnexpectedEOF):
			failed(t, got, "upstream call failed: "+want.Error())
		default:
			truth(t, strings.HasPrefix(got.Text, "upstream call failed: "), "%q was taken, but is %v", wrong, want)
		}
	}
}

// TestManifests compares what the server says of manifests with what the driver's own check says.
func TestManifests(t *testing.T) {
	s := start(t)
	well := func() apps.Manifest {
		return apps.Manifest{
			AppID: "app", DisplayName: "An App", HomepageURL: "https://a.example", Version: "v1.0.0",
			Deploy: apps.Deploy{HTTP: &apps.HTTP{RootURL: "https://a.example"}},
		}
	}
	changes := map[string]func(*apps.Manifest){
		"nothing wrong": func(*apps.Manifest) {},
		"empty":         func(m *apps.Manifest) { *m = apps.Manifest{} },
		"no deployment": func(m *apps.Manifest) { m.Deploy = apps.Deploy{} },
		"all": func(m *apps.Manifest) {
			m.Deploy.Plugin, m.Deploy.OpenFAAS, m.Deploy.AWSLambda = &apps.Plugin{}, &apps.OpenFAAS{}, &apps.AWSLambda{}
		},
		"openfaas": func(m *apps.Manifest) {
			m.Deploy.OpenFAAS = &apps.OpenFAAS{Functions: []apps.OpenFAASFunction{{}, {Path: "/"}, {Name: "n"}}}
		},
		"lambda": func(m *apps.Manifest) {
			m.Deploy.AWSLambda = &apps.AWSLambda{Functions: []apps.AWSLambdaFunction{{Name: "n"}, {Path: "/", Handler: "h"}}}
		},
		"icon":      func(m *apps.Manifest) { m.Icon = "../../i.png" },
		"good icon": func(m *apps.Manifest) { m.Icon = "a/i.png" },
		"oauth2 without user": func(m *apps.Manifest) {
			m.RequestedPermissions = apps.Permissions{apps.PermissionRemoteOAuth2, apps.PermissionActAsBot}
		},
		"webhooks without bot": func(m *apps.Manifest) {
			m.RequestedPermissions = apps.Permissions{apps.PermissionRemoteWebhooks, apps.PermissionActAsUser, "else"}
		},
		"joined without bot": func(m *apps.Manifest) {
			m.RequestedPermissions = apps.Permissions{apps.PermissionUserJoinedChannelNotification}
		},
		"unknown permission": func(m *apps.Manifest) { m.RequestedPermissions = apps.Permissions{"else"} },
	}
	for _, id := range []string{"a", "ab", "abc", "a b", "a_b-c.d", "ünicode", "a/b/c", strings.Repeat("x", 32), strings.Repeat("x", 33), "a%b", `a"b`, "日本語"} {
		changes["id "+id] = func(m *apps.Manifest) { m.AppID = apps.AppID(id) }
	}
	for _, version := range []string{"", "v1", "v00.00.000", "v00.00.0000", "1 2", "v1/2", "ü", "v1.0.0-rc"} {
		changes["version "+version] = func(m *apps.Manifest) { m.Version = apps.AppVersion(version) }
	}
	for _, url := range []string{"", "x", "/x", "ftp://a.example", "https://", "http:///x", "https://a b", "https://a.example/%zz",
		"http://[::1]:80/", "HTTPS://A.EXAMPLE", "//a.example", "https://a.example:port", "mailto:a@b", "https://u:p@a.example", "http://a.example?q#f"} {
		changes["homepage "+url] = func(m *apps.Manifest) { m.HomepageURL = url }
		changes["root "+url] = func(m *apps.Manifest) { m.Deploy.HTTP = &apps.HTTP{RootURL: url} }
	}
	for _, name := range []string{"i.png", "/i.png", "a/b/i.png", "a//b", "./i.png", "a/../i.png", "../i.png", "a/../../i.png", "/../i.png",
		".", "/", "a b.png", "a%20b.png", "%2e%2e/i.png", "a/%2e%2e/%2e%2e/x", "%252e%252e/x", "x?y=z", "x#y", "%zz", "https://a.example/i.png",
		"https://a.example/../i.png", "//host/i.png", ":x", "ü.png", "a\\b"} {
		changes["icon "+name] = func(m *apps.Manifest) { m.Icon = name }
	}
	t.Run("c_ud_08_c_ud_09_c_ud_10_manifests_are_judged_as_by_the_drivers_own_check", func(t *testing.T) {
		for name, change := range changes {
			manifest := well()
			change(&manifest)
			want := manifest.Validate()
			_, resp, err := s.admin.UpdateAppListing(appclient.UpdateAppListingRequest{Manifest: manifest, Replace: true})
			if want == nil {
				truth(t, err == nil, "%s is refused: %v", name, err)
				continue
			}
			truth(t, err != nil, "%s is taken, but is %v", name, want)
			if err.Error() != want.Error()+": invalid input" {
				t.Errorf("%s:\n got %q\nwant %q", name, err.Error(), want.Error()+": invalid input")
			}
			equal(t, "status", resp.StatusCode, http.StatusBadRequest)
		}
	})
}
