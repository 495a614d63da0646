package authorizer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/integration"
	"penstock/internal/issuertest"
)

// jwtB64 is a part of a token.
func jwtB64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// jwtJSON is what a part of a token says.
func jwtJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// refuseAll fails the test if one of the tokens is let through, or if a refusal has
// something of a token in it.
func (f *jwtFixture) refuseAll(t *testing.T, tokens map[string]string) {
	t.Helper()
	if got := f.outcome(t, f.good(nil)); got != "ok" {
		t.Fatalf("a good token: %s", got)
	}
	for name, token := range tokens {
		x := jwtExchange("Bearer " + token)
		err := f.jwt.Authorize(x)
		if err == nil || x.Identity != nil {
			t.Errorf("%s: let through", name)
			continue
		}
		if token != "" && !strings.HasPrefix(err.Error(), "401 Unauthorized: ") {
			t.Errorf("%s: got %v", name, err)
		}
		for part := range strings.SplitSeq(token, ".") {
			if len(part) > 12 && (strings.Contains(err.Error(), part) || strings.Contains(x.AuthorizerError, part)) {
				t.Errorf("%s: the refusal has %q", name, part)
			}
		}
	}
}

// A token is signed with RSA and PKCS #1 v1.5, by a key that is for its algorithm, or
// it is worth nothing; and there is one way to write it.
func TestSecurity34AlgorithmConfusion(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	k := issuertest.RSA("k1", 0)
	forOne := issuertest.RSA("one", 1).With(map[string]any{"alg": "RS256"})
	f.SetKeys(k, forOne, issuertest.RSA("pss", 2).With(map[string]any{"alg": "PS256"}), issuertest.EC("ec"))
	claims := jwtJSON(t, f.claims(nil))
	header := func(algorithm any) string { return jwtJSON(t, map[string]any{"alg": algorithm, "kid": "k1"}) }
	good := k.Sign("RS256", header("RS256"), claims)
	signed, signature := good[:strings.LastIndexByte(good, '.')], good[strings.LastIndexByte(good, '.')+1:]
	tokens := map[string]string{}

	for _, none := range []string{"none", "None", "NONE", "nOnE", "", " none", "none\x00"} {
		tokens[fmt.Sprintf("alg %q without a signature", none)] = k.Sign("", header(none), claims)
		tokens[fmt.Sprintf("alg %q with a good signature", none)] = k.Sign("RS256", header(none), claims)
	}
	for _, size := range []string{"256", "384", "512"} {
		tokens["HS"+size+" with the public key"] = k.Sign("HS"+size, header("HS"+size), claims)
		tokens["RS"+size+" that is HS"] = k.Sign("HS"+size, header("RS"+size), claims)
		tokens["PS"+size] = k.Sign("PS"+size, header("PS"+size), claims)
		tokens["RS"+size+" that is PS"] = k.Sign("PS"+size, header("RS"+size), claims)
		tokens["PS"+size+" that is RS"] = k.Sign("RS"+size, header("PS"+size), claims)
		tokens["ES"+size+" that is RS"] = k.Sign("RS"+size, header("ES"+size), claims)
	}
	tokens["ES256"] = issuertest.EC("ec").Sign("ES256", `{"alg":"ES256","kid":"ec"}`, claims)
	tokens["RS256 with a key on a curve"] = issuertest.EC("ec").Sign("ES256", `{"alg":"RS256","kid":"ec"}`, claims)
	tokens["RS256 that is RS384"] = k.Sign("RS384", header("RS256"), claims)
	tokens["RS384 that is RS256"] = k.Sign("RS256", header("RS384"), claims)
	tokens["RS512 with a key for RS256"] = forOne.Sign("RS512", `{"alg":"RS512","kid":"one"}`, claims)
	tokens["RS256 with a key for PS256"] = issuertest.RSA("pss", 2).Sign("RS256", `{"alg":"RS256","kid":"pss"}`, claims)
	for _, algorithm := range []any{"rs256", "Rs256", "RS256 ", "RS256\x00", "RS1", "EdDSA", "RSA-OAEP", "dir", nil, 256, true, []string{"RS256"}, map[string]any{"RS256": 1}} {
		tokens[fmt.Sprintf("alg %#v", algorithm)] = k.Sign("RS256", header(algorithm), claims)
	}
	tokens["no alg"] = k.Sign("RS256", `{"kid":"k1"}`, claims)
	tokens["alg twice, the good one first"] = k.Sign("RS256", `{"alg":"RS256","kid":"k1","alg":"none"}`, claims)
	tokens["alg twice, the good one last"] = k.Sign("RS256", `{"alg":"none","kid":"k1","alg":"RS256"}`, claims)
	tokens["alg twice, once escaped"] = k.Sign("RS256", `{"alg":"none","kid":"k1","\u0061lg":"RS256"}`, claims)
	tokens["ALG"] = k.Sign("RS256", `{"ALG":"RS256","kid":"k1"}`, claims)

	tokens["the signature of another token"] = signed + "." + strings.Split(f.good(map[string]any{"sub": "eve"}), ".")[2]
	tokens["no signature"] = signed + "."
	tokens["a short signature"] = signed + "." + signature[:len(signature)-4]
	tokens["a long signature"] = signed + "." + signature[:len(signature)-2] + "AAAA"
	tokens["a signature of zeros"] = signed + "." + strings.Repeat("A", len(signature)-1) + "A"
	tokens["a signature with a zero before it"] = signed + "." + base64.RawURLEncoding.EncodeToString(append([]byte{0}, k.Signature("RS256", signed)...))
	tokens["other claims"] = strings.Split(good, ".")[0] + "." + jwtB64(strings.Replace(claims, "ada", "eve", 1)) + "." + signature

	// Every other way to write the same bytes.
	last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", signature[len(signature)-1])
	tokens["bits that mean nothing"] = good[:len(good)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last|1])
	tokens["padding"] = good + "=="
	tokens["padding in the header"] = strings.Replace(good, ".", "=.", 1)
	tokens["a line break"] = good[:len(good)-8] + "\n" + good[len(good)-8:]
	tokens["a line break in the header"] = good[:8] + "\r\n" + good[8:]
	tokens["a space"] = good + " "
	tokens["an escape"] = good + "%20"
	tokens["a zero byte"] = good + "\x00"
	tokens["base64 that is not for URLs"] = signed + "." + base64.RawStdEncoding.EncodeToString(k.Signature("RS256", signed)[:255]) + "+/"

	// Members that readers of JSON understand in different ways.
	tokens["sub twice"] = k.Sign("RS256", header("RS256"), strings.Replace(claims, `{`, `{"sub":"eve",`, 1))
	tokens["exp twice"] = k.Sign("RS256", header("RS256"), strings.Replace(claims, `{`, `{"exp":1,`, 1))
	tokens["a member twice further in"] = k.Sign("RS256", header("RS256"), strings.Replace(claims, `{`, `{"o":{"a":1,"a":2},`, 1))
	tokens["kid twice"] = k.Sign("RS256", `{"alg":"RS256","kid":"k1","kid":"one"}`, claims)
	for name, text := range map[string]string{
		"a list": "[" + claims + "]", "two values": claims + claims, "text behind it": claims + "x", "a comma": strings.Replace(claims, "}", ",}", 1),
		"a comment": "/**/" + claims, "single quotes": strings.ReplaceAll(claims, `"`, "'"), "a byte order mark": "\ufeff" + claims,
		"not UTF-8": strings.Replace(claims, "ada", "\xff", 1), "a text": `"x"`, "null": "null", "nothing": "", "NaN": strings.Replace(claims, `{`, `{"a":NaN,`, 1),
		"deep": strings.Replace(claims, "{", `{"a":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+",", 1),
	} {
		tokens["claims: "+name] = k.Sign("RS256", header("RS256"), text)
		tokens["header: "+name] = k.Sign("RS256", strings.Replace(text, claims, header("RS256"), 1), claims)
	}
	delete(tokens, "header: not UTF-8") // which only changed the claims
	tokens["a header that is not UTF-8"] = k.Sign("RS256", "{\"alg\":\"RS256\",\"kid\":\"k1\",\"x\":\"\xff\"}", claims)
	delete(tokens, "header: single quotes")
	tokens["a header with single quotes"] = k.Sign("RS256", "{'alg':'RS256','kid':'k1'}", claims)
	delete(tokens, "header: deep")
	delete(tokens, "header: NaN")
	delete(tokens, "header: a comma")
	tokens["a header with a comma"] = k.Sign("RS256", `{"alg":"RS256","kid":"k1",}`, claims)
	f.refuseAll(t, tokens)

	if got := f.outcome(t, forOne.Sign("RS256", `{"alg":"RS256","kid":"one"}`, claims)); got != "ok" {
		t.Errorf("RS256 with a key for it: %s", got)
	}
}

// Keys come from the configured issuer only, by their exact name.
func TestSecurity35KeyGames(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t)
	k, mine := issuertest.RSA("k1", 0), issuertest.RSA("k1", 1)
	attacker := issuertest.New(t)
	attacker.SetKeys(mine)
	claims := jwtJSON(t, f.claims(nil))
	header := func(members map[string]any) string {
		h := map[string]any{"alg": "RS256", "kid": "k1"}
		for name, v := range members {
			if h[name] = v; v == nil {
				delete(h, name)
			}
		}
		return jwtJSON(t, h)
	}
	tokens := map[string]string{}
	for _, kid := range []any{
		"", nil, 1, true, []string{"k1"}, map[string]any{"k1": 1}, "K1", "k1 ", " k1", "k1\x00", "k", "k1/", "./k1", "../../../../dev/null",
		"/dev/null", "k1' OR '1'='1", "k1; DROP TABLE keys", "%6b1", "k1#", "*", "k?", attacker.URL + issuertest.KeysPath, "file:///dev/null",
		"__proto__", "constructor", strings.Repeat("k", 4000),
	} {
		tokens[fmt.Sprintf("kid %.40v", kid)] = k.Sign("RS256", header(map[string]any{"kid": kid}), claims)
	}
	certificate := base64.StdEncoding.EncodeToString(mine.PEM())
	for name, v := range map[string]any{
		"jku": attacker.URL + issuertest.KeysPath, "x5u": attacker.URL + "/certificate", "jwk": mine.Public(), "x5c": []string{certificate}, "iss": attacker.URL,
	} {
		// It changes nothing about who must have signed.
		tokens[name] = mine.Sign("RS256", header(map[string]any{name: v}), claims)
		tokens[name+" without kid"] = mine.Sign("RS256", header(map[string]any{name: v, "kid": nil}), claims)
		if got := f.outcome(t, k.Sign("RS256", header(map[string]any{name: v}), claims)); got != "ok" {
			t.Errorf("%s beside a good signature: %s", name, got)
		}
	}
	for name, members := range map[string]map[string]any{
		"crit":           {"crit": []string{"exp"}, "exp": 1},
		"crit unknown":   {"crit": []string{"http://example.com/x"}, "http://example.com/x": true},
		"crit empty":     {"crit": []string{}},
		"crit of a text": {"crit": "exp"},
		"b64":            {"b64": false},
		"b64 true":       {"b64": true},
		"crit and b64":   {"crit": []string{"b64"}, "b64": false},
	} {
		tokens[name] = k.Sign("RS256", header(members), claims)
	}
	tokens["crit null"] = k.Sign("RS256", `{"alg":"RS256","kid":"k1","crit":null}`, claims)
	// A payload that is not encoded, as b64 would have it.
	raw := jwtB64(header(map[string]any{"crit": []string{"b64"}, "b64": false})) + "." + claims
	tokens["b64 with plain claims"] = raw + "." + base64.RawURLEncoding.EncodeToString(k.Signature("RS256", raw))
	f.refuseAll(t, tokens)

	if configurations, keySets := attacker.Requests(); configurations+keySets != 0 {
		t.Errorf("the attacker was asked %d times", configurations+keySets)
	}
}

// An issuer can do no harm with what it publishes, nor a stranger by making the
// gateway ask for it.
func TestSecurity36KeySets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault issuertest.Fault
	}{
		{"failing", issuertest.Failing}, {"failing keys", issuertest.FailingKeys},
		{"10 MB", issuertest.Oversize}, {"10 MB of keys", issuertest.OversizeKeys},
		{"redirect", issuertest.Redirect}, {"redirect of keys", issuertest.RedirectKeys},
		{"another issuer", issuertest.WrongIssuer},
		{"no JSON", issuertest.NoJSON}, {"no keys in JSON", issuertest.NoJSONKeys},
	} {
		f := newJWTFixture(t)
		f.SetFault(tt.fault)
		f.expect(t, tt.name, f.good(nil), denial(refusedDiscovery), 1)
		f.SetFault(issuertest.Healthy)
		f.clock.advance(firstBackoff)
		f.expect(t, tt.name+", repaired", f.good(nil), "ok", 2)
	}

	k := issuertest.RSA("k1", 0)
	good := jwtJSON(t, k.Public())
	for _, tt := range []struct {
		name string
		keys string
		want string
	}{
		{"good", `{"keys":[` + good + `]}`, "ok"},
		{"no keys", `{"keys":[]}`, denial(refusedKey)},
		{"too many keys", `{"keys":[` + strings.Repeat(`{},`, 10_000) + good + `]}`, denial(refusedKey)},
		{"a long list", `{"keys":[` + strings.Repeat(good+",", 2000) + good + `]}`, denial(refusedDiscovery)},
		{"twice the same name", string(issuertest.KeySet(k, issuertest.RSA("k1", 1))), denial(refusedKey)},
		{"e of 1", string(issuertest.KeySet(k.With(map[string]any{"e": "AQ"}))), denial(refusedKey)},
		{"for encryption", string(issuertest.KeySet(k.With(map[string]any{"use": "enc"}))), denial(refusedKey)},
		{"deep", `{"keys":[` + strings.Repeat("[", 70_000) + strings.Repeat("]", 70_000) + `]}`, denial(refusedDiscovery)},
	} {
		f := newJWTFixture(t)
		f.SetKeySet(tt.keys)
		f.expect(t, tt.name, f.good(nil), tt.want, 1)
	}

	f := newJWTFixture(t)
	f.SetKeys(issuertest.Weak("weak"), k)
	f.expect(t, "a key of 1024 bits", f.TokenBy(issuertest.Weak("weak"), "RS256", f.claims(nil)), denial(refusedKey), 1)

	// A storm of unknown keys: one question a minute, and none of them is remembered.
	f = newJWTFixture(t)
	token := f.good(nil)
	f.expect(t, "warm", token, "ok", 1)
	for minute := range 3 {
		f.clock.advance(fetchInterval)
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for n := range 8 {
					stranger := f.TokenBy(issuertest.RSA(fmt.Sprint("x", g, n), 1), "RS256", f.claims(nil))
					if got := f.outcome(t, stranger); got != denial(refusedKey) {
						t.Error(got)
					}
				}
			})
		}
		all.Wait()
		f.expect(t, "in the storm", token, "ok", 2+minute)
	}
	if n, _ := tokenCacheSize(f.issuers.tokens); n != 1 {
		t.Errorf("%d tokens are cached, want 1", n)
	}
}

// A token is a short text of three parts, found out before anything is decoded.
func TestSecurity37Bombs(t *testing.T) { // counts allocations, so that nothing may run beside it
	f := newJWTFixture(t)
	k := issuertest.RSA("k1", 0)
	good := f.good(nil)
	// The longest token that is short enough, and the shortest that is not.
	var longest, beyond string
	for n := (maxToken-len(good))*3/4 - 40; len(beyond) <= maxToken; n++ {
		longest, beyond = beyond, f.good(map[string]any{"pad": strings.Repeat("x", n)})
	}
	if got := f.outcome(t, longest); got != "ok" || len(longest) < maxToken-2 {
		t.Errorf("a token of %d bytes: %s", len(longest), got)
	}
	if got := f.outcome(t, beyond); got != denial(refusedMalformed) {
		t.Errorf("a token of %d bytes: %s", len(beyond), got)
	}
	claims := jwtJSON(t, f.claims(nil))
	parts := strings.Split(good, ".")
	f.refuseAll(t, map[string]string{
		"too long":           f.good(map[string]any{"pad": strings.Repeat("x", maxToken*3/4)}),
		"10 MB":              strings.Repeat("A", 10<<20),
		"dots":               strings.Repeat(".", 8000),
		"a million dots":     strings.Repeat(".", 1<<20),
		"one dot":            parts[0] + "." + parts[1],
		"three dots":         good + ".",
		"a dot before it":    "." + good,
		"only dots":          "..",
		"encrypted":          jwtB64(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"k1"}`) + ".a.b.c.d",
		"p2c":                jwtB64(`{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2147483647,"p2s":"x"}`) + ".a.b.c.d",
		"p2c in three parts": k.Sign("RS256", `{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"kid":"k1"}`, claims),
		"zip":                jwtB64(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`) + "..b.c.d",
		"JSON form":          `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"general JSON form":  `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"detached":           parts[0] + ".." + parts[2],
		"brackets":           k.Sign("RS256", strings.Repeat("[", 2500), claims),
		"brackets in claims": k.Sign("RS256", `{"alg":"RS256","kid":"k1"}`, `{"a":`+strings.Repeat("[", 2500)),
		"two tokens":         good + "," + good,
		"two tokens, spaced": good + " " + good,
	})

	// Refusing is cheap, however long the text is.
	bomb := jwtExchange(strings.Repeat(".", 1<<20))
	if n := testing.AllocsPerRun(10, func() { _ = f.jwt.Authorize(bomb) }); n > 10 {
		t.Errorf("a bomb takes %g allocations", n)
	}
}

// Claims have the types that they should have, and mean exactly what they say.
func TestSecurity38Claims(t *testing.T) {
	t.Parallel()
	f := newJWTFixture(t, "pets/read")
	k := issuertest.RSA("k1", 0)
	tokens := map[string]string{}
	signed := func(claims string) string { return k.Sign("RS256", `{"alg":"RS256","kid":"k1"}`, claims) }
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, bad := range []string{`"1800000100"`, `""`, `-1`, `-1e9`, `1e400`, `-1e400`, `1e12`, `null`, `true`, `[1800000100]`, `{}`, `9223372036854775808000000000000000`} {
			c := f.claims(map[string]any{name: json.RawMessage("0"), "scope": "pets/read"})
			c[name] = json.RawMessage(bad)
			tokens[name+" "+bad] = signed(jwtJSON(t, c))
		}
	}
	for name, changes := range map[string]map[string]any{
		"no exp":                         {"exp": nil},
		"exp now":                        {"exp": jwtNow},
		"exp of 0":                       {"exp": 0},
		"exp in milliseconds":            {"exp": jwtNow * 1000},
		"no iss":                         {"iss": nil},
		"iss that begins so":             {"iss": f.URL + ".example.com"},
		"iss with a path":                {"iss": f.URL + "/x"},
		"iss with a slash":               {"iss": f.URL + "/"},
		"the beginning of iss":           {"iss": f.URL[:len(f.URL)-1]},
		"iss in capitals":                {"iss": strings.ToUpper(f.URL)},
		"iss with a space":               {"iss": f.URL + " "},
		"iss with a user":                {"iss": strings.Replace(f.URL, "//", "//a@", 1)},
		"iss as a list":                  {"iss": []string{f.URL}},
		"no aud":                         {"aud": nil},
		"aud for another, client_id":     {"aud": "other", "client_id": "aud1"},
		"empty aud, client_id":           {"aud": []string{}, "client_id": "aud1"},
		"aud of an empty text":           {"aud": "", "client_id": "aud1"},
		"aud that begins so":             {"aud": "aud12"},
		"the beginning of aud":           {"aud": "aud"},
		"aud in capitals":                {"aud": "AUD1"},
		"aud in one text":                {"aud": "other aud1"},
		"aud with a number":              {"aud": []any{"aud1", 1}},
		"aud in a list in a list":        {"aud": []any{[]string{"aud1"}}},
		"client_id as a list":            {"aud": nil, "client_id": []string{"aud1"}},
		"azp in the place of aud":        {"aud": nil, "azp": "aud1"},
		"client_id in another case":      {"aud": nil, "Client_id": "aud1"},
		"claims in another case":         {"exp": nil, "EXP": jwtNow + 100},
		"aud in another case of letters": {"aud": nil, "AUD": "aud1"},
	} {
		changes["scope"] = "pets/read"
		tokens[name] = signed(jwtJSON(t, f.claims(changes)))
	}
	tokens["aud null, client_id"] = signed(strings.Replace(jwtJSON(t, f.claims(map[string]any{"aud": nil, "client_id": "aud1"})), "{", `{"aud":null,`, 1))
	g := *f
	g.jwt = f.authorizer(t, "$request.header.Authorization") // without scopes a good token has none
	g.refuseAll(t, tokens)

	for _, scope := range []any{"pets/rea", "pets/readx", "xpets/read", "pets", "PETS/READ", "pets/read\tb", "pets/read,b", "pets/write", "", 7, true, []string{"pets/read"}} {
		if got := f.outcome(t, f.good(map[string]any{"scope": scope})); !strings.HasPrefix(got, "403 ") {
			t.Errorf("scope %v: %s", scope, got)
		}
	}

	// A token is refused from the moment it expires, although it is cached, and so it
	// is when the clock goes back to before it was issued.
	token := f.good(map[string]any{"exp": jwtNow + 60, "iat": jwtNow, "scope": "pets/read"})
	for _, tt := range []struct {
		step time.Duration
		want refusal
	}{
		{0, ""}, {60*time.Second - time.Microsecond, ""}, {time.Microsecond, refusedExpired}, {-time.Second, ""}, {-60 * time.Second, refusedFuture}, {2 * time.Second, ""},
	} {
		f.clock.advance(tt.step)
		x := jwtExchange(token)
		_ = f.jwt.Authorize(x)
		if x.AuthorizerError != string(tt.want) {
			t.Errorf("after %s: got %q, want %q", tt.step, x.AuthorizerError, tt.want)
		}
	}
}

// Issuers are reached like backends: what may be reached is decided on the address
// that is dialed, for each of the fetches.
func TestSecurity39Addresses(t *testing.T) {
	t.Parallel()
	closed := integration.NewClient(integration.ClientConfig{})
	open := integration.NewClient(integration.ClientConfig{AllowPrivate: true})
	t.Cleanup(func() { closed.Close(); open.Close() })
	k := issuertest.RSA("k1", 0)
	for _, tt := range []struct {
		name   string
		client *integration.Client
		issuer string
	}{
		{"loopback", closed, "http://127.0.0.1:1"},
		{"loopback by name", closed, "http://localhost:1"},
		{"IPv6 loopback", closed, "https://[::1]:1"},
		{"IPv4 in IPv6", closed, "https://[::ffff:127.0.0.1]:1"},
		{"private", closed, "https://10.0.0.1:1"},
		{"this network", closed, "https://0.0.0.0:1"},
		{"metadata", open, "https://169.254.169.254"},
		{"metadata in IPv6", open, "https://[fd00:ec2::254]"},
		{"metadata in IPv4 in IPv6", open, "https://[::ffff:169.254.169.254]"},
	} {
		log := &jwtLog{}
		issuers := NewIssuers(IssuersConfig{DialContext: tt.client.DialContext, Log: slog.New(slog.NewTextHandler(log, nil))})
		t.Cleanup(issuers.Close)
		j, err := NewJWT(issuers, JWTSpec{Source: "$request.header.authorization", Issuer: tt.issuer, Audience: []string{"a"}})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		token := k.Sign("RS256", `{"alg":"RS256","kid":"k1"}`, `{}`)
		if got := jwtOutcome(t, j, jwtExchange(token)); got != denial(refusedDiscovery) {
			t.Errorf("%s: %s", tt.name, got)
		}
		issuers.Close()
		if text := log.String(); !strings.Contains(text, "may not reach this address") || strings.Contains(text, token) {
			t.Errorf("%s: the log says %s", tt.name, text)
		}
	}

	// A good issuer cannot send the gateway to a place that may not be reached: every
	// connection is dialed by the same dialer, and none for a redirect.
	f := newJWTFixture(t)
	inner := issuertest.New(t) // stands for what must not be reached
	allowed := netip.MustParseAddrPort(strings.TrimPrefix(f.URL, "http://"))
	var mu sync.Mutex
	var dialed []string
	f.issuers.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		dialed = append(dialed, address)
		mu.Unlock()
		if address != allowed.String() {
			return nil, errors.New("refused by the dialer")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	for n, keys := range []string{
		inner.URL + issuertest.KeysPath, "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/keys", "https://169.254.169.254/keys",
		"ftp://127.0.0.1/keys", "//127.0.0.1/keys", "/keys", "", "file:///etc/passwd", "https://a@127.0.0.1/keys",
	} {
		f.SetConfiguration(map[string]any{"jwks_uri": keys})
		f.expect(t, keys, f.good(nil), denial(refusedDiscovery), n+1)
		f.clock.advance(fetchInterval)
	}
	f.SetConfiguration(nil)
	f.SetFault(issuertest.RedirectKeys)
	f.expect(t, "redirect", f.good(nil), denial(refusedDiscovery), 11)
	f.SetFault(issuertest.Healthy)
	f.clock.advance(fetchInterval)
	f.expect(t, "healthy", f.good(nil), "ok", 12)
	if a, b := inner.Requests(); a+b != 0 {
		t.Errorf("the inner server was asked %d times", a+b)
	}
	mu.Lock()
	defer mu.Unlock()
	// Ten configurations, of which two lead to a refused dial, then two with keys.
	if want := 10 + 2 + 2*2; len(dialed) != want {
		t.Errorf("%d connections, want %d: %q", len(dialed), want, dialed)
	}

	// Keys on another host that may be reached are fine: big issuers have them there.
	g := newJWTFixture(t)
	elsewhere := issuertest.New(t)
	g.SetConfiguration(map[string]any{"jwks_uri": elsewhere.URL + issuertest.KeysPath})
	g.expect(t, "keys elsewhere", g.good(nil), "ok", 1)
}

// A jwtLog is written by fetches and read by tests.
type jwtLog struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *jwtLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *jwtLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
