package tests

import (
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// What made a browser go somewhere, as Sec-Fetch-Site has it.
const (
	nowhere   = "none"        // an address typed, or a bookmark
	elsewhere = "cross-site"  // a link or a redirect of another site
	here      = "same-origin" // a link on a page of this site
)

// browser is a browser that takes one step at a time: it keeps cookies, says where it comes from as Chromium does, and
// follows nothing by itself.
type browser struct {
	client http.Client
}

// page is what a browser was answered.
type page struct {
	status int
	header http.Header
	text   string
	at     *url.URL
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	good(t, err)
	return &browser{http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signedIn is a browser in which somebody signed in a while ago: the mark of the detour is gone.
func signedIn(t testing.TB, s *site, name string) *browser {
	t.Helper()
	b := newBrowser(t)
	b.signIn(t, s, name, "/")
	site, err := url.Parse(s.url)
	good(t, err)
	kept := b.client.Jar.Cookies(site)
	fresh := newBrowser(t)
	for _, cookie := range kept {
		if cookie.Name != "tessera-signed-in" {
			fresh.client.Jar.SetCookies(site, []*http.Cookie{cookie})
		}
	}
	return fresh
}

// signIn fills in the sign-in page.
func (b *browser) signIn(t testing.TB, s *site, name, returnTo string) *page {
	t.Helper()
	p := b.submit(t, s.url+"/login", url.Values{
		"login_id": {name}, "password": {"tessera-dev"}, "return_to": {returnTo},
	})
	equal(t, "status of signing in", p.status, http.StatusSeeOther)
	return p
}

// open goes to a place, for this reason.
func (b *browser) open(t testing.TB, where, from string) *page {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, where, nil)
	good(t, err)
	req.Header.Set("Sec-Fetch-User", "?1")
	return b.send(t, req, from)
}

// submit sends a form of a page of the same origin.
func (b *browser) submit(t testing.TB, where string, fields url.Values) *page {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, where, strings.NewReader(fields.Encode()))
	good(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
	return b.send(t, req, here)
}

func (b *browser) send(t testing.TB, req *http.Request, from string) *page {
	t.Helper()
	req.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
	req.Header.Set("Sec-Fetch-Site", from)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	resp, err := b.client.Do(req)
	good(t, err)
	return &page{resp.StatusCode, resp.Header, body(t, resp), req.URL}
}

// next is where a page leads to.
func (p *page) next(t testing.TB) string {
	t.Helper()
	location := p.header.Get("Location")
	truth(t, location != "", "%d leads nowhere: %s", p.status, p.text)
	where, err := p.at.Parse(location)
	good(t, err)
	return where.String()
}

// shows fails the test where a page has another status, or does not hold a text as a person reads it.
func (p *page) shows(t testing.TB, status int, text string) {
	t.Helper()
	equal(t, "status", p.status, status)
	contains(t, html.UnescapeString(p.text), text)
}

var fields = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
var attributes = regexp.MustCompile(`(name|value)="([^"]*)"`)

// form is the hidden fields of a page's first form: the one that goes on.
func (p *page) form(t testing.TB) url.Values {
	t.Helper()
	found := url.Values{}
	first, _, _ := strings.Cut(p.text, "</form>")
	for _, input := range fields.FindAllString(first, -1) {
		pair := map[string]string{}
		for _, attribute := range attributes.FindAllStringSubmatch(input, -1) {
			pair[attribute[1]] = html.UnescapeString(attribute[2])
		}
		found.Set(pair["name"], pair["value"])
	}
	truth(t, len(found) > 0, "no form in %s", p.text)
	return found
}
