// Package tests drives the real server with the Apps framework's own Go driver, which nobody here wrote.
package tests

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"github.com/mattermost/mattermost-plugin-apps/apps/appclient"
	appspath "github.com/mattermost/mattermost-plugin-apps/apps/path"
	"github.com/mattermost/mattermost-server/v6/model"
)

const (
	readyLine = "tessera ready on "
	// The two ways in which the server can be set; documented is the default.
	documented = "TESSERA_COMPAT__PROFILE=documented"
	reference  = "TESSERA_COMPAT__PROFILE=reference"
)

// site is a running server with three people of whom the first administers it.
type site struct {
	url                string
	admin, user, other *person
}

// person is somebody who is signed in, with both halves of the driver's client.
type person struct {
	*appclient.ClientPP
	v4       *model.Client4
	name, id string
	token    string
}

// output is what a process prints, kept for the case that a test fails.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// binary is the server under test; without one nothing is proven.
func binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("TESSERA_BIN")
	if path == "" || !filepath.IsAbs(path) {
		t.Fatalf("TESSERA_BIN is %q: build the server with `cargo build -p tessera-server`, and set TESSERA_BIN to the absolute path of target/debug/tessera", path)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("TESSERA_BIN names no file (%v): build it with `cargo build -p tessera-server`", err)
	}
	return path
}

// start starts a development server on a free port, with these settings in its environment. It ends with the test, and
// in good order.
func start(t *testing.T, settings ...string) *site {
	t.Helper()
	cmd := exec.Command(binary(t), "serve", "--dev", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	cmd.Dir = os.TempDir()
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TESSERA_") && !strings.HasPrefix(setting, "RUST_LOG=") {
			cmd.Env = append(cmd.Env, setting)
		}
	}
	cmd.Env = append(cmd.Env, settings...)
	log := new(output)
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	good(t, err)
	good(t, cmd.Start())
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })

	url := ""
	lines := bufio.NewReader(stdout)
	for url == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = cmd.Wait()
			t.Fatalf("the server did not start: %v\n%s", err, log)
		}
		if rest, found := strings.CutPrefix(line, readyLine); found {
			url = strings.TrimSpace(rest)
		}
	}
	late.Stop()
	drained := make(chan struct{})
	go func() {
		_, _ = io.Copy(log, lines)
		close(drained)
	}()
	t.Cleanup(func() {
		good(t, cmd.Process.Signal(syscall.SIGTERM))
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server did not end in good order: %v", err)
		}
		if strings.Contains(log.String(), "panicked") {
			t.Error("the server panicked")
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", log)
		}
	})

	site := &site{url: url}
	site.admin = site.signIn(t, "sysadmin")
	site.user = site.signIn(t, "user-1")
	site.other = site.signIn(t, "user-2")
	return site
}

func (s *site) signIn(t testing.TB, name string) *person {
	t.Helper()
	v4 := model.NewAPIv4Client(s.url)
	user, _, err := v4.Login(name, "tessera-dev")
	good(t, err)
	truth(t, v4.AuthToken != "", "no token for %s", name)
	pp := appclient.NewAppsPluginAPIClient(s.url)
	pp.SetOAuthToken(v4.AuthToken)
	return &person{ClientPP: pp, v4: v4, name: name, id: user.Id, token: v4.AuthToken}
}

// nobody is a client without a token.
func (s *site) nobody() *appclient.ClientPP {
	return appclient.NewAppsPluginAPIClient(s.url)
}

// api is the path of a route of the framework.
func api(route string) string {
	return "/plugins/" + appclient.AppsPluginName + appspath.API + route
}

// flow is where a flow of an App begins ("connect") or ends ("complete").
func (s *site) flow(app apps.AppID, end string) string {
	return s.url + "/plugins/" + appclient.AppsPluginName + "/apps/" + string(app) + "/oauth2/remote/" + end
}

// list lists an App.
func (s *site) list(t testing.TB, manifest apps.Manifest) {
	t.Helper()
	_, resp, err := s.admin.UpdateAppListing(appclient.UpdateAppListingRequest{
		Manifest:   manifest,
		Replace:    true,
		AddDeploys: apps.DeployTypes{apps.DeployHTTP},
	})
	good(t, err)
	equal(t, "status of listing", resp.StatusCode, http.StatusOK)
}

// install lists and installs an App.
func (s *site) install(t testing.TB, manifest apps.Manifest) *apps.App {
	t.Helper()
	s.list(t, manifest)
	app, resp, err := s.admin.InstallApp(manifest.AppID, apps.DeployHTTP)
	good(t, err)
	equal(t, "status of installing", resp.StatusCode, http.StatusOK)
	return app
}

// uninstall uninstalls an App.
func (s *site) uninstall(t testing.TB, id apps.AppID) {
	t.Helper()
	resp, err := s.admin.UninstallApp(id)
	good(t, err)
	equal(t, "status of uninstalling", resp.StatusCode, http.StatusOK)
}

// calls has a person call an App. The call itself must arrive; what the App made of it is the test's matter.
func (p *person) calls(t testing.TB, app apps.AppID, creq apps.CallRequest) *apps.CallResponse {
	t.Helper()
	creq.Context.AppID = app
	cresp, resp, err := p.Call(creq)
	good(t, err)
	equal(t, "status of the call", resp.StatusCode, http.StatusOK)
	return cresp
}

// done fails the test where a call did not go well.
func done(t testing.TB, cresp *apps.CallResponse) {
	t.Helper()
	if cresp.Type != apps.CallResponseTypeOK {
		t.Fatalf("the call failed: %s", shown(cresp))
	}
}

// failed fails the test where a call did not fail with this text.
func failed(t testing.TB, cresp *apps.CallResponse, text string) {
	t.Helper()
	if cresp.Type != apps.CallResponseTypeError || cresp.Text != text {
		t.Fatalf("got %s, want the error %q", shown(cresp), text)
	}
}

// body is all that was answered.
func body(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	good(t, err)
	return string(text)
}

// raw sends a request past the driver, and gives status, headers and body.
func (s *site) raw(t testing.TB, method, url, token, text string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(text))
	good(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	good(t, err)
	return resp.StatusCode, resp.Header, body(t, resp)
}

// said is a status and a text, to be compared at once.
func said(status int, _ http.Header, text string) string {
	return fmt.Sprintf("%d %s", status, text)
}
