//go:build !unix

package gateway

func defaultConns() int { return fallbackConns }
