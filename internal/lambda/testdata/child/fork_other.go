//go:build !linux

package main

import "errors"

func fork([]byte, bool) error { return errors.ErrUnsupported }
