package adminapi

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"haoke/backend/internal/wire"
)

func (a *API) widgetHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"getWidget":  func(*call) (any, error) { return a.widget() },
		"putWidget":  a.putWidget,
		"testOrigin": a.testOrigin,
	}
}

const (
	lookPath   = "widget.look"
	uploadPath = "upload.enabled"
)

func (a *API) widget() (wire.WidgetState, error) {
	s := a.Settings.Current()
	public, _ := a.Host.Addresses()
	share := shareURL(s, public)
	out := wire.WidgetState{
		ShareURL: share, PublicURL: public, Reachable: reachable(share), ChatURL: share + "/chat?site=default",
		Locked: []string{}, Origins: s.Server.AllowedOrigins, Warnings: []wire.Trouble{}, Snippets: snippets(share),
	}
	if err := json.Unmarshal(s.Widget.Look, &out.Look); err != nil {
		return out, fmt.Errorf("read the widget's look: %w", err)
	}
	// Whether files are taken is a setting of its own: the look only shows it.
	out.Look.Upload = &s.Upload.Enabled
	if out.Origins == nil {
		out.Origins = []string{}
	}
	if f, ok := a.settingField(lookPath); ok {
		out.Revision = f.Revision
		if f.Locked {
			out.Locked = append(out.Locked, lookPath)
		}
	}
	if len(out.Origins) == 0 {
		out.Warnings = append(out.Warnings, wire.Trouble{Code: "no_origins", Level: "warn", Text: "No shop page may embed the widget yet. Add your shop's address.", Page: "settings/server.allowed_origins"})
	}
	if !out.Reachable {
		out.Warnings = append(out.Warnings, wire.Trouble{Code: "public_unreachable", Level: "info", Text: "Visitors outside cannot reach " + share + ". Set the public address.", Args: map[string]string{"url": share}, Page: "settings/server.public_url"})
	}
	return out, nil
}

// reachable reports whether somebody outside could open the address.
func reachable(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
	}
	return host != "localhost" && !strings.HasSuffix(host, ".local") && strings.Contains(host, ".")
}

// snippets are the pieces of code to paste, for each kind of shop.
func snippets(share string) []wire.Snippet {
	script := fmt.Sprintf(`<script src="%s/widget.js" data-site="default" async></script>`, share)
	return []wire.Snippet{
		{Kind: "html", Code: script},
		{Kind: "wordpress", Code: "// functions.php of your child theme, or a snippet plug-in\nadd_action('wp_footer', function () {\n  echo '" + script + "';\n});"},
		{Kind: "shopify", Code: "{%- comment -%} layout/theme.liquid, before </body> {%- endcomment -%}\n" + script},
		{Kind: "react", Code: "import { useEffect } from 'react'\n\nexport function Chat() {\n  useEffect(() => {\n    const s = document.createElement('script')\n    s.src = '" + share + "/widget.js'\n    s.dataset.site = 'default'\n    s.async = true\n    document.body.append(s)\n    return () => { window.Haoke?.shutdown?.(); s.remove() }\n  }, [])\n  return null\n}"},
		{Kind: "iframe", Code: fmt.Sprintf(`<iframe src="%s/chat?site=default" title="Chat" width="380" height="640" style="border:0"></iframe>`, share)},
	}
}

func (a *API) putWidget(c *call) (any, error) {
	in, err := body[wire.WidgetWrite](c)
	if err != nil {
		return nil, err
	}
	upload := in.Look.Upload
	in.Look.Upload = nil
	look, err := json.Marshal(in.Look)
	if err != nil {
		return nil, err
	}
	if upload != nil && *upload != a.Settings.Current().Upload.Enabled {
		if _, err := a.Settings.Set(c.ctx(), uploadPath, json.RawMessage(strconv.FormatBool(*upload)), -1); err != nil {
			return nil, err
		}
	}
	_, err = a.Settings.Set(c.ctx(), lookPath, look, in.Revision)
	if err != nil {
		p := a.problem(err)
		if p.Type == wire.ProblemConflict {
			if now, werr := a.widget(); werr == nil {
				p.Current = now
			}
		}
		f := fault(p)
		return nil, &f
	}
	return a.widget()
}

func (a *API) testOrigin(c *call) (any, error) {
	in, err := body[wire.OriginTest](c)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimSpace(in.URL))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return wire.OriginVerdict{Text: "This is not the address of a page. It looks like https://shop.example/tea."}, nil
	}
	origin := strings.ToLower(u.Scheme + "://" + u.Host)
	out := wire.OriginVerdict{Origin: origin}
	s := a.Settings.Current()
	public, _ := a.Host.Addresses()
	for _, rule := range append(append([]string{}, s.Server.AllowedOrigins...), shareURL(s, public)) {
		if rule == "*" || sameOrigin(rule, origin) {
			out.Allowed, out.Rule, out.Text = true, rule, "Pages of "+origin+" may embed the widget."
			return out, nil
		}
	}
	out.Text = "Pages of " + origin + " may not embed the widget. Add " + origin + " to the allowed origins."
	for _, rule := range s.Server.AllowedOrigins {
		if r, err := url.Parse(rule); err == nil && strings.EqualFold(r.Host, u.Host) && r.Scheme != u.Scheme {
			out.Text = "Only " + rule + " is allowed; this page uses " + u.Scheme + "."
		}
	}
	return out, nil
}

func sameOrigin(rule, origin string) bool {
	norm := func(s string) string {
		u, err := url.Parse(strings.ToLower(strings.TrimSpace(s)))
		if err != nil {
			return ""
		}
		host := u.Host
		if u.Scheme == "https" {
			host = strings.TrimSuffix(host, ":443")
		} else {
			host = strings.TrimSuffix(host, ":80")
		}
		return u.Scheme + "://" + host
	}
	return norm(rule) != "" && norm(rule) == norm(origin)
}
