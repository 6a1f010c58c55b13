package tests

import (
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/goapp"
	"github.com/mattermost/mattermost-plugin-apps/utils"
)

const icon = "\x89PNG\r\n\x1a\n\x00\x01\x02\xff\xfe"

// icons is a file system as goapp wants it: the files lie in a folder of that name.
func icons() fs.FS {
	return fstest.MapFS{"static/i.png": {Data: []byte(icon)}}
}

func TestStatic(t *testing.T) {
	s := start(t)
	p := newProbe(t, "statictest", func(manifest *apps.Manifest) { manifest.Icon = "i.png" }, goapp.WithStatic(icons()))
	s.install(t, p.Manifest)
	// The original shows the picture under an address that goapp composes from the call.
	var address string
	p.answer("/where", func(creq goapp.CallRequest) apps.CallResponse {
		address = creq.AppProxyURL("static", "i.png")
		return apps.NewTextResponse("%s", address)
	})
	done(t, s.user.calls(t, p.id, apps.CallRequest{Call: *apps.NewCall("/where")}))
	arrives := func(t *testing.T) {
		t.Helper()
		status, header, text := s.raw(t, http.MethodGet, address, s.user.token, "")
		equal(t, "status", status, http.StatusOK)
		equal(t, "the picture", text, icon)
		equal(t, "its type", header.Get("Content-Type"), "image/png")
	}

	t.Run("c_sa_01_an_icon_arrives_byte_for_byte", arrives)

	t.Run("what_the_app_does_not_have_is_its_own_404", func(t *testing.T) {
		got := said(s.raw(t, http.MethodGet, address+"x", s.user.token, ""))
		equal(t, "what is said", got, "404 404 page not found\n")
		got = said(s.raw(t, http.MethodGet, strings.TrimSuffix(address, "i.png")+"100%2525", s.user.token, ""))
		equal(t, "what is said", got, "400 invalid URL escape \"%\"\n")
		got = said(s.raw(t, http.MethodGet, strings.TrimSuffix(address, "i.png")+"..%2f..%2fsecret", s.user.token, ""))
		equal(t, "what is said", got, "400 bad path: \"../../secret\": invalid input\n")
		got = said(s.raw(t, http.MethodGet, address, "", ""))
		equal(t, "what is said", got, "401 "+noUser+"\n")
	})

	t.Run("c_uu_04_a_name_comes_in_where_the_drivers_own_package_puts_it", func(t *testing.T) {
		var last string
		p.past(func(w http.ResponseWriter, req *http.Request) { last = req.RequestURI })
		defer p.past(nil)
		folder := strings.TrimSuffix(address, "i.png")
		for _, name := range []string{
			"i.png", "a b.png", "a%20b.png", "a%2fb", "ü.png", "a?b=c", "a#b", "a+b", "a;b,c", "(a)*!'", "a:b", "X/Y/../Z", "X//Y", "X/./Y",
			"X/Y/", "X/../../Y", "X/..", ".", "%2e%2e/x", "%252e%252e/x", "100%", "%zz", "a%zzb", "a\\b", `a"b<c>`, "日本.png", "?x", ":x", "a=&b",
		} {
			// The route decodes a name once before it is looked at.
			status, _, told := s.raw(t, http.MethodGet, folder+url.PathEscape(name), s.user.token, "")
			clean, err := utils.CleanStaticURL(name)
			if err == nil {
				clean, err = utils.CleanURL(p.Manifest.Deploy.HTTP.RootURL + "/static/" + clean)
			}
			if err != nil {
				equal(t, "of "+name, told, err.Error()+"\n")
				equal(t, "status", status, http.StatusBadRequest)
				continue
			}
			truth(t, status == http.StatusOK, "%q: %d %s", name, status, told)
			req, err := http.NewRequest(http.MethodGet, clean, nil)
			good(t, err)
			equal(t, "where "+name+" comes in", last, req.URL.RequestURI())
		}
	})

	t.Run("c_sa_02_of_a_disabled_app_too", func(t *testing.T) {
		_, err := s.admin.DisableApp(p.id)
		good(t, err)
		arrives(t)
	})
}
