package kube

import "reflect"

// sizeOf is about how many bytes a value takes with all that it refers to, as if it shared none of it.
func sizeOf(v any) int64 {
	of := reflect.ValueOf(v)
	return beyond(of) + int64(of.Type().Size())
}

// beyond is what a value refers to.
func beyond(v reflect.Value) (n int64) {
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return int64(v.Elem().Type().Size()) + beyond(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			n += beyond(v.Field(i))
		}
	case reflect.Slice:
		n = int64(v.Cap()) * int64(v.Type().Elem().Size())
		if flat(v.Type().Elem()) {
			return n
		}
		for i := range v.Len() {
			n += beyond(v.Index(i))
		}
	case reflect.Array:
		if flat(v.Type().Elem()) {
			return 0
		}
		for i := range v.Len() {
			n += beyond(v.Index(i))
		}
	case reflect.Map:
		const table = 48 // of a map, and what its slots have free
		n = table
		for of := v.MapRange(); of.Next(); {
			n += 2*int64(of.Key().Type().Size()+of.Value().Type().Size()) + beyond(of.Key()) + beyond(of.Value())
		}
	}
	return n
}

// flat says that values of a type refer to nothing.
func flat(t reflect.Type) bool { return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Complex128 }
