package gateway

import (
	"bytes"
	"slices"
	"testing"

	"golang.org/x/net/http2"
)

// TestFrames: frames are found whatever parts they come in.
func TestFrames(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString(http2.ClientPreface)
	w := http2.NewFramer(&b, nil)
	w.AllowIllegalWrites = true
	w.WriteSettings()
	w.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<32 - 1})
	w.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 14}, http2.Setting{ID: 0xffff, Val: 7})
	w.WriteSettingsAck()
	w.WriteWindowUpdate(0, 1)
	w.WriteWindowUpdate(7, 1<<31-1)
	w.WriteHeaders(http2.HeadersFrameParam{StreamID: 7, BlockFragment: []byte("abc"), EndHeaders: true})
	w.WriteData(7, true, make([]byte, 300))
	w.WriteData(9, false, nil)
	w.WriteRSTStream(9, http2.ErrCode(1<<32-2))
	w.WriteRawFrame(http2.FrameRSTStream, 0, 9, []byte{0, 0, 0, 8, 1})
	w.WriteRawFrame(http2.FrameRSTStream, 0, 9, []byte{0, 0, 1})
	w.WriteRawFrame(http2.FrameSettings, 0, 0, []byte{0, 4, 0, 0, 1, 0, 0})
	w.WritePing(false, [8]byte{1})
	want := []frame{
		{kind: http2.FrameSettings},
		{kind: http2.FrameSettings, length: 6},
		{kind: http2.FrameSettings, length: 6, setting: 4, value: 1<<32 - 1},
		{kind: http2.FrameSettings, length: 12},
		{kind: http2.FrameSettings, length: 12, setting: 5, value: 1 << 14},
		{kind: http2.FrameSettings, length: 12, setting: 0xffff, value: 7},
		{kind: http2.FrameSettings, flags: 1},
		{kind: http2.FrameWindowUpdate, length: 4, value: 1},
		{kind: http2.FrameWindowUpdate, stream: 7, length: 4, value: 1<<31 - 1},
		{kind: http2.FrameHeaders, flags: 4, stream: 7, length: 3},
		{kind: http2.FrameData, flags: 1, stream: 7, length: 300},
		{kind: http2.FrameData, stream: 9},
		{kind: http2.FrameRSTStream, stream: 9, length: 4, value: 1<<32 - 2},
		{kind: http2.FrameRSTStream, stream: 9, length: 5, value: 8},
		{kind: http2.FrameRSTStream, stream: 9, length: 3},
		{kind: http2.FrameSettings, length: 7},
		{kind: http2.FrameSettings, length: 7, setting: 4, value: 256},
		{kind: http2.FramePing, length: 8},
	}
	for part := 1; part <= b.Len(); part++ {
		s := frames{skip: len(http2.ClientPreface)}
		var got []frame
		for p := range slices.Chunk(b.Bytes(), part) {
			s.scan(p, func(f frame) { got = append(got, f) })
		}
		if !slices.Equal(got, want) || !s.between() {
			t.Fatalf("in parts of %d bytes: got %v, between %t, want %v", part, got, s.between(), want)
		}
	}
}
