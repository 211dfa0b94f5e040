// Package hostile attacks a whole server or binary, as those would who may write its input or share its
// machine: a file for each kind of attack, a test for each attack. Attacks on one package are in its tests.
package hostile
