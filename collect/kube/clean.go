package kube

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/redact"
)

// cut is what Facts keeps of an object, without secrets in its text.
func (k *kind) cut(s *stripper, o object) (any, bool) {
	out, kept := k.strip(s, o)
	switch out.(type) {
	case nil, *collect.Pod, *collect.Workload: // their parts are shared, and were cleaned before
		return out, kept
	}
	text := redact.Known
	if prose[k.name] {
		text = redact.Text
	}
	cleaner{text}.value(reflect.ValueOf(out))
	return out, kept
}

// prose are the kinds in which people write text: addresses, headers, paths. In others stand names, patterns and
// expressions that judges compare.
var prose = map[string]bool{"Service": true, "Ingress": true, "Gateway": true, "HTTPRoute": true, "GRPCRoute": true, "OpenShiftRoute": true,
	"VirtualService": true, "ValidatingWebhookConfiguration": true, "MutatingWebhookConfiguration": true, "CiliumNetworkPolicy": true,
	"CiliumClusterwideNetworkPolicy": true}

// cleaner takes secrets out of every text of an object.
type cleaner struct{ text func(string) string }

func (c cleaner) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.value(v.Elem())
		}
	case reflect.Interface:
		c.loose(v)
	case reflect.Struct:
		c.fields(v)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				c.value(v.Index(i))
			}
		}
	case reflect.Map:
		c.entries(v)
	case reflect.String:
		set(v, c.text)
	}
}

func set(v reflect.Value, text func(string) string) {
	if !v.CanSet() {
		return
	}
	if s := v.String(); len(s) > 5 {
		if clean := text(s); clean != s {
			v.SetString(clean)
		}
	}
}

// fields cleans a struct. A header or parameter has a name that says what its value is.
func (c cleaner) fields(v reflect.Value) {
	if _, meta := v.Interface().(metav1.ObjectMeta); meta {
		return // it was cleaned when it was copied
	}
	if name, value := v.FieldByName("Name"), v.FieldByName("Value"); name.Kind() == reflect.String && value.Kind() == reflect.String {
		set(value, func(s string) string { return redact.Value(name.String(), s) })
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			c.value(v.Field(i))
		}
	}
}

// entries cleans the values of a map. Those of text are labels mostly, which are compared.
func (c cleaner) entries(v reflect.Value) {
	for _, k := range v.MapKeys() {
		held := reflect.New(v.Type().Elem()).Elem()
		held.Set(v.MapIndex(k))
		if held.Kind() == reflect.String {
			set(held, redact.Known)
		} else {
			c.value(held)
		}
		v.SetMapIndex(k, held)
	}
}

// loose cleans what may be of any type.
func (c cleaner) loose(v reflect.Value) {
	if v.IsNil() || !v.CanSet() {
		return
	}
	held := reflect.New(v.Elem().Type()).Elem()
	held.Set(v.Elem())
	c.value(held)
	v.Set(held)
}
