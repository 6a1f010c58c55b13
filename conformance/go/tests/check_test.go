package tests

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// equal fails the test where two things are not the same.
func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, shown(got), shown(want))
	}
}

// shown is a value as a person reads it.
func shown(value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return reflect.ValueOf(value).String()
	}
	return string(text)
}

// truth fails the test where something does not hold.
func truth(t testing.TB, holds bool, what string, args ...any) {
	t.Helper()
	if !holds {
		t.Fatalf(what, args...)
	}
}

// good fails the test where there is an error.
func good(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%T: %v", err, err)
	}
}

// bad fails the test where there is no error, or one of another text.
func bad(t testing.TB, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, but should be %q", text)
	}
	equal(t, "error text", err.Error(), text)
}

// contains fails the test where a text lacks a part.
func contains(t testing.TB, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q is not in %q", part, text)
	}
}

// object reads a JSON object.
func object(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return value
}

// at is the value under these names, one in the other; nil when there is none.
func at(value any, names ...string) any {
	for _, name := range names {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}
