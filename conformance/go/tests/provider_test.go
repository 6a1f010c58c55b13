package tests

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"tessera/conformance/hello"
)

// provider is a small OAuth2 provider (RFC 6749, the code flow and refreshing; RFC 7636 for who uses it; RFC 7009) with a
// list of calendars behind it.
type provider struct {
	url                    string
	clientID, clientSecret string
	// life is how long its tokens live.
	life time.Duration

	mu      sync.Mutex
	codes   map[string]asked
	access  map[string]time.Time // when each ends
	refresh map[string]bool
	grants  []string // the kinds of all grants that were given
	revoked int      // how many refresh tokens were revoked
}

// asked is what a code was given for: it is good for the same redirect URI, and for who knows the challenge's verifier.
type asked struct {
	redirect, challenge string
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{
		clientID: "hello-client", clientSecret: "s3cr3t&<1>", life: time.Hour,
		codes: map[string]asked{}, access: map[string]time.Time{}, refresh: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /authorize", p.decide)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /revoke", p.revoke)
	mux.HandleFunc("GET /calendars", p.calendars)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// settings are what an App must know of the provider.
func (p *provider) settings() hello.Provider {
	return hello.Provider{
		Endpoint:    oauth2.Endpoint{AuthURL: p.url + "/authorize", TokenURL: p.url + "/token"},
		Scopes:      []string{"calendar", "profile email"},
		ResourceURL: p.url + "/calendars",
	}
}

// authorize shows a consent page.
func (p *provider) authorize(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	if query.Get("response_type") != "code" || query.Get("client_id") != p.clientID || query.Get("state") == "" {
		http.Error(w, "bad request: "+req.URL.RawQuery, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = fmt.Fprintf(w, `<form method="post"><input type="hidden" name="asked" value="%s"></form>`,
		url.QueryEscape(req.URL.RawQuery))
}

// decide takes what was decided on the consent page, and sends the browser back.
func (p *provider) decide(w http.ResponseWriter, req *http.Request) {
	text, err := url.QueryUnescape(req.FormValue("asked"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	query, err := url.ParseQuery(text)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {query.Get("state")}}
	if req.FormValue("decision") == "allow" {
		code := rand.Text()
		p.mu.Lock()
		p.codes[code] = asked{query.Get("redirect_uri"), query.Get("code_challenge")}
		p.mu.Unlock()
		answer.Set("code", code)
		answer.Set("scope", query.Get("scope"))
	} else {
		answer.Set("error", "access_denied")
	}
	http.Redirect(w, req, query.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

// token swaps a code, once, or a refresh token, once.
func (p *provider) token(w http.ResponseWriter, req *http.Request) {
	refuse := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
	}
	if !p.isClient(req) {
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := req.FormValue("grant_type")
	switch kind {
	case "authorization_code":
		given, known := p.codes[req.FormValue("code")]
		delete(p.codes, req.FormValue("code"))
		verified := given.challenge == "" && req.FormValue("code_verifier") == "" ||
			given.challenge == oauth2.S256ChallengeFromVerifier(req.FormValue("code_verifier"))
		if !known || given.redirect != req.FormValue("redirect_uri") || !verified {
			refuse(http.StatusBadRequest, "invalid_grant")
			return
		}
	case "refresh_token":
		known := p.refresh[req.FormValue("refresh_token")]
		delete(p.refresh, req.FormValue("refresh_token"))
		if !known {
			refuse(http.StatusBadRequest, "invalid_grant")
			return
		}
	default:
		refuse(http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	p.grants = append(p.grants, kind)
	access, refresh := rand.Text(), rand.Text()
	p.access[access], p.refresh[refresh] = time.Now().Add(p.life), true
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": access, "token_type": "Bearer", "refresh_token": refresh,
		"expires_in": int(p.life.Seconds()),
	})
}

// isClient is whether a request carries the client's id and secret, in the header or in the form.
func (p *provider) isClient(req *http.Request) bool {
	id, secret, ok := req.BasicAuth()
	if ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = req.FormValue("client_id"), req.FormValue("client_secret")
	}
	return id == p.clientID && secret == p.clientSecret
}

// revoke ends all that was given, if the refresh token is one of ours: there is one person here.
func (p *provider) revoke(w http.ResponseWriter, req *http.Request) {
	if !p.isClient(req) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refresh[req.FormValue("token")] {
		clear(p.refresh)
		clear(p.access)
		p.revoked++
	}
}

// lives says how long tokens live that are given from now on.
func (p *provider) lives(life time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = life
}

// takes is whether a token opens the calendars.
func (p *provider) takes(t testing.TB, token string) bool {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, p.url+"/calendars", nil)
	good(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	good(t, err)
	return body(t, resp) == "Work, Family"
}

// refuses waits until it takes a token no more.
func (p *provider) refuses(t testing.TB, token string) {
	t.Helper()
	patience := time.Now().Add(time.Minute)
	for p.takes(t, token) {
		truth(t, time.Now().Before(patience), "the provider still takes a token")
		time.Sleep(20 * time.Millisecond)
	}
}

// calendars is what a person's token opens.
func (p *provider) calendars(w http.ResponseWriter, req *http.Request) {
	token := req.Header.Get("Authorization")
	p.mu.Lock()
	ends := time.Time{}
	if len(token) > 7 && token[:7] == "Bearer " {
		ends = p.access[token[7:]]
	}
	p.mu.Unlock()
	if !time.Now().Before(ends) {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	_, _ = fmt.Fprint(w, "Work, Family")
}

// granted is the kinds of all grants so far.
func (p *provider) granted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.grants...)
}
