package collect

import "testing"

func TestArgumentsOfACommandLine(t *testing.T) {
	for _, c := range []struct {
		command, args []string
		value         string
		has           bool
	}{
		{nil, nil, "", false},
		{nil, []string{"--class=edge"}, "edge", true},
		{nil, []string{"-class=edge"}, "edge", true},
		{[]string{"controller", "--Class=edge"}, []string{"--class=other"}, "edge", true},
		{[]string{"controller", "--class"}, []string{"edge"}, "edge", true},
		{nil, []string{"--class", "--v=2"}, "true", true},
		{nil, []string{"--v=2", "--class"}, "true", true},
		{nil, []string{"--class=false"}, "false", false},
		{nil, []string{"--class="}, "", true},
		{nil, []string{"--class.name=edge"}, "", true},
		{nil, []string{"--classes=edge", "--ingress-class=edge"}, "", false},
	} {
		s := ContainerShape{Command: c.command, Args: c.args}
		if value, has := s.Argument("class"), s.HasArgument("class"); value != c.value || has != c.has {
			t.Errorf("%v %v: got %q %v, want %q %v", c.command, c.args, value, has, c.value, c.has)
		}
	}
}
