package bench
import ("testing";"os";"runtime/pprof";"time";"strings";"github.com/breakwater-sec/breakwater/query";"github.com/breakwater-sec/breakwater/graph")
func TestZZ(t *testing.T){
 v:=analysedEstate(t,18000)
 for i,c:=range questions {
  q,err:=query.Parse(strings.TrimSpace(c.text)); if err!=nil{t.Fatal(err)}
  f,_:=os.Create("/tmp/w/scale/q"+string(rune('0'+i))+".prof")
  cpu:=cpuTime(); n:=0
  pprof.StartCPUProfile(f)
  for cpuTime()-cpu<2*time.Second { if _,err:=query.Run(t.Context(),v,graph.Everything,q,query.Options{Limit:100}); err!=nil{t.Fatal(err)}; n++ }
  pprof.StopCPUProfile(); f.Close()
  t.Logf("%s %d clusters: cpu %s a cluster", c.name, len(v.Clusters()), (cpuTime()-cpu)/time.Duration(n*len(v.Clusters())))
 }
}
