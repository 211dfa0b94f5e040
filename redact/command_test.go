package redact

import (
	"strings"
	"testing"
)

// line reads a command line as its words, which have | between them where a word has spaces.
func line(s string) string {
	sep := " "
	if strings.Contains(s, "|") {
		sep = "|"
	}
	words := strings.Split(s, sep)
	return strings.Join(Command(words[0], words), sep)
}

func TestACommandLineLosesItsSecretsAndNothingElse(t *testing.T) {
	became(t, "command", line, [][2]string{
		// Flags that say so.
		{"app --password=hunter2 y", "app --password=§ y"}, {"app --password=h", "app --password=§"},
		{"app -p --password hunter2 y", "app -p --password § y"},
		{"app --password -hunter2 y", "app --password § y"}, {"app --password --page y", ""}, {"app --password --page=2 y", ""},
		{"app --password --Hunter2 y", "app --password § y"},
		{"app --password - y", "app --password § y"}, {"app --password --hun_ter-x y", ""},
		{"app --password -hunter22-A y", "app --password § y"},
		{"app --password --hunter{ y", "app --password § y"}, {"app --password true y", ""}, {"app --password= y", ""},
		{"app --password=true y", ""},
		{"app --password:x y", "app --password:§ y"}, {"app --password", ""}, {"app|--password|hunter 2|y", "app|--password|§|y"},
		{"app|--password hunter2|y", "app|--password §|y"},
		{"app --page=2 --token=hunter2=x y", "app --page=2 --token=§ y"}, {"app --page=token=hunter2 y", "app --page=token=§ y"},
		{"app --password " + Mark + " y", ""}, {"app password=hunter2 y", "app password=§ y"}, {"app pwd=hu y", "app pwd=§ y"},
		{"app pwd=h y", ""},
		{"app =hunter2 -=hunter2 --=hunter2 - -- y", ""},
		// Headers.
		{"curl -H Authorization: Bearer hunter2 y", "curl -H Authorization: Bearer § y"},
		{"curl -H password: hunter2 y", "curl -H password: § y"},
		{"curl bearer hunter2 y", "curl bearer § y"}, {"curl BEARER hunter2 y", "curl BEARER § y"}, {"curl bearer --page y", ""},
		{"curl -H page: hunter2 y", ""},
		{"curl --token apikey hunter2 y", "curl --token apikey § y"}, {"curl -H : hunter2 y", ""},
		// Literals.
		{"kubectl create --from-literal page=hunter2 y", "kubectl create --from-literal page=§ y"},
		{"kubectl create --from-literal=page=hunter2 y", "kubectl create --from-literal=page=§ y"},
		{"kubectl create --from-literal=a=hunter2=a y", "kubectl create --from-literal=a=§ y"},
		{"kubectl create --from-literal =hunter2 y", "kubectl create --from-literal =§ y"},
		{"kubectl create --from-literal==hunter2 y", "kubectl create --from-literal==§ y"}, {"kubectl create --from-literal= y", ""},
		{"kubectl create --from-literal page= y", ""}, {"kubectl create --from-literal=page y", ""},
		{"kubectl create --from-literal page y=hunter2", ""},
		// Programs.
		{"/usr/bin/mysql -phunter2 y", "/usr/bin/mysql -p§ y"}, {"mysql -p hunter2 y", ""}, {"mysql --p hunter2 y", ""},
		{"mysql -p y", ""}, {"app -phunter2 y", ""},
		{"mysql -ph y", "mysql -p§ y"}, {"mysql -P3306 --phunter2 y", ""}, {"sshpass -p hunter2 y", "sshpass -p § y"},
		{"sshpass -p -hunter2 y", "sshpass -p § y"},
		{"sshpass -p --page y", "sshpass -p § y"}, {"sshpass -p true y", ""},
		{"sshpass -phunter2 mysql -phunter3 y", "sshpass -p§ mysql -p§ y"},
		{"docker run mysql -phunter2 y", "docker run mysql -p§ y"}, {"docker run mysql -p hunter2 y", ""},
		{"docker run -p 8080:80 y", ""}, {"docker run -p8080:80 y", ""},
		{"docker login mysql -p hunter2 y", "docker login mysql -p § y"}, {"docker login -phunter2 y", "docker login -p§ y"},
		{"docker -p a login -p hunter2", "docker -p a login -p §"},
		{"timeout 5 redis-cli -a hunter2 y", "timeout 5 redis-cli -a § y"}, {"git config http -a alice:hunter2", ""},
		{"app login -p hunter2 y", ""},
		{"vault login hunter2 y", "vault login § y"}, {"vault login -method=oidc y", ""}, {"vault read login", ""},
		{"vault page hunter2", ""},
		{"aws configure set token hunter2 y", "aws configure set token § y"}, {"aws configure get token hunter2 y", ""},
		{"aws set page hunter2 y", ""},
		{"npm config set //r.example/:_authToken hunter2 y", "npm config set //r.example/:_authToken § y"},
		{"npm set r.example/token hunter2 y", "npm set r.example/token § y"},
		{"git config vault login hunter2", ""}, {"app set token hunter2", ""},
		{"mysqladmin password hunter2 y", "mysqladmin password § y"},
		// Pairs.
		{"curl -u alice:hunter2 y", "curl -u alice:§ y"}, {"curl -ualice:hunter2 y", "curl -ualice:§ y"},
		{"curl -u:hunter2 y", "curl -u:§ y"}, {"curl -u :hunter2 y", "curl -u :§ y"},
		{"curl -u alice y:hunter2", ""}, {"curl -u alice: y", ""}, {"curl -ualice y", ""}, {"curl -u alice:h y", "curl -u alice:§ y"},
		{"curl -u alice%hunter2:a y", "curl -u alice%§ y"},
		{"curl -u alice,hunter2 y", "curl -u alice,§ y"}, {"curl --user alice:hunter2 y", "curl --user alice:§ y"},
		{"curl -E https://x.example y", ""}, {"curl -uhttps://x.example y", ""},
		{"curl -x alice:hunter2 y", ""}, {"curl --xalice:hunter2 y", ""}, {"curl --ualice:hunter2 y", ""},
		// No program, no words.
		{"", ""}, {"y", ""}, {"-", ""},
	})
	if got := Command("mysql", []string{"-phunter2", "y"}); got[0] != "-p"+Mark || got[1] != "y" {
		t.Errorf("words without their program became %q", got)
	}
	if got := Command("mysql", nil); len(got) != 0 {
		t.Errorf("no words became %q", got)
	}
}

func TestCommandsOfAScriptAreApart(t *testing.T) {
	became(t, "script", Text, [][2]string{
		{"app --password 'hunter 2' --host db", "app --password '§' --host db"}, {"app --password `hunter 2` y"},
		{"app --password 'hunter 2", "app --password '§"}, {"app --password 'hun\"ter 2' y", "app --password '§' y"},
		{"app --password hunter2;", "app --password §;"}, {"app --password ; y"},
		{"app --password \"hunter 2\" y", "app --password \"§\" y"},
		{"app --password hunter2;(a) y", "app --password § y"}, {"app --password hunter2'a' y", "app --password §'a' y"},
		{`app --password "" web -x`},
		{"app --password\thunter2\ny -a", "app --password\t§\ny -a"}, {"app --password\nhunter2 y"}, {"app --password;hunter2 y"},
		{"app\t--password hunter2", "app\t--password §"}, {"app\n--password hunter2", "app\n--password §"},
		{"mysql x; app -phunter2"}, {"mysql x | app -phunter2"}, {"mysql x & app -phunter2"}, {"mysql x\napp -phunter2"},
		{"$(mysql x) -phunter2"},
		{"(mysql x) -phunter2"}, {"{ mysql x; } -phunter2"}, {"`mysql x` -phunter2"}, {"mysql {} -phunter2"},
		{"app x; mysql -phunter2 y", "app x; mysql -p§ y"}, {"app x|mysql -phunter2 y", "app x|mysql -p§ y"},
		{"app x&&mysql -phunter2;y", "app x&&mysql -p§;y"},
		{"a=$(mysql -phunter2) y", "a=$(mysql -p§) y"}, {"a=`mysql -phunter2` y", "a=`mysql -p§` y"},
		{"sh -c 'mysql -phunter2' y", "sh -c 'mysql -p§' y"},
		{"sh -c \"mysql -phunter2\" y", "sh -c \"mysql -p§\" y"}, {"app\tx mysql\t-phunter2", "app\tx mysql\t-p§"},
		{"mysql 'x' -phunter2", "mysql 'x' -p§"},
		{"docker login -p hunter2; docker run -p 80:80 y", "docker login -p §; docker run -p 80:80 y"},
		{"curl -u alice:hunter2 y", "curl -u alice:§ y"},
		{"a bearer brings news"}, {"vault login hunter2", "vault login §"}, {"aws set token hunter2", "aws set token §"},
		{"git config a.token hunter2 y", "git config a.token § y"},
		{"pip config token hunter2 y", "pip config token § y"}, {"mysqladmin password hunter2 y", "mysqladmin password § y"},
		{"redis-cli -a hunter2", "redis-cli -a §"}, {"redis-cli -a", ""}, {"redis-cli -a ", ""},
		{"redis-cli -a 'hunter2", "redis-cli -a '§"},
	})
}
