package function

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"
)

// linkTime is how long a link to code can be followed. Source: Lambda API reference,
// GetFunction.
const linkTime = 10 * time.Minute

// codeURL returns a link to the code of a version: whoever has it can read the code for
// a while, without signing. It is empty if the function has no zip.
func (c *call) codeURL(f *function, version string) string {
	if f.declared != nil {
		return ""
	}
	sum := f.versions[version].spec.Source.(*code).sum
	expires := strconv.FormatInt(c.Now().Add(linkTime).Unix(), 10)
	query := url.Values{"sha256": {sum}, "expires": {expires}, "signature": {c.signLink(f.name, sum, expires)}}
	scheme := "http://"
	if c.r.TLS != nil {
		scheme = "https://"
	}
	// The caller has found the server by this name, and will again.
	return scheme + c.r.Host + "/_penstock/functions/" + f.name + "/code?" + query.Encode()
}

// signLink returns what proves that a link was made by this process.
func (s *Service) signLink(name, sum, expires string) string {
	mac := hmac.New(sha256.New, s.signing[:])
	mac.Write([]byte(name + "\x00" + sum + "\x00" + expires))
	return hex.EncodeToString(mac.Sum(nil))
}

// ServeCode answers a request for a link that GetFunction has answered, of the function
// of a name. The link is all that the caller needs.
func (s *Service) ServeCode(w http.ResponseWriter, r *http.Request, name string) {
	query := r.URL.Query()
	sum, expires := query.Get("sha256"), query.Get("expires")
	if !hmac.Equal([]byte(query.Get("signature")), []byte(s.signLink(name, sum, expires))) {
		refuseCode(w, http.StatusForbidden, "the link to the code is not one that GetFunction has answered")
		return
	}
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || s.Now().Unix() > until {
		refuseCode(w, http.StatusForbidden, "the link to the code has expired: call GetFunction again")
		return
	}
	f, err := os.Open(s.codes.zip(sum)) // a sum that was signed is the name of a file
	if err != nil {
		refuseCode(w, http.StatusNotFound, "the code is no longer there")
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.zip"`)
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, f)
}

func refuseCode(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	text, _ := encode(map[string]string{"message": message})
	w.Write(text) // a client that has gone away does not hear the answer
}
