package source

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

const (
	// maxLinks is how many links may stand on the way to one target. Source: Linux.
	maxLinks = 40
	// maxSteps is how many parts of paths are looked at for all links of an archive: links
	// that lead through links through links take long to follow.
	maxSteps = 1_000_000
)

// checkLinks refuses links that lead outside. A link may lead to something that is not
// in the archive, if that would be inside.
func (a *archive) checkLinks() error {
	steps := 0
	for name, target := range a.links {
		followed := 0
		if _, reason := a.follow(path.Dir(name), target, &followed, &steps); reason != "" {
			return &ArchiveError{name, fmt.Sprintf("is a link to %q, which %s", target, reason)}
		}
	}
	return nil
}

// follow returns what a target of a link in a directory leads to, by way of all other
// links, or the reason why it leads nowhere. Dir is a directory and no link.
func (a *archive) follow(dir, target string, followed, steps *int) (end, reason string) {
	switch {
	case target == "":
		return "", "is empty"
	case strings.ContainsAny(target, "\x00\\") || !utf8.ValidString(target):
		return "", "is no path"
	case strings.HasPrefix(target, "/"):
		return "", "is absolute"
	}
	if *followed++; *followed > maxLinks {
		return "", "leads through too many links"
	}
	end = dir
	for part := range strings.SplitSeq(target, "/") {
		if *steps++; *steps > maxSteps {
			return "", "is one of too many links"
		}
		switch part {
		case "", ".":
			continue
		case "..":
			if end == "." {
				return "", "leads outside"
			}
			end = path.Dir(end)
			continue
		}
		next := path.Join(end, part)
		if through, ok := a.links[next]; ok {
			if next, reason = a.follow(end, through, followed, steps); reason != "" {
				return "", reason
			}
		}
		if end = next; len(end) > a.limits.Path {
			return "", "leads too deep"
		}
	}
	return end, ""
}
