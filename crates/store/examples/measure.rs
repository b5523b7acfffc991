use domain::*;
use store::*;
use chrono::{DateTime,Utc};
use std::path::Path;
fn t(v:&serde_json::Value)->Option<DateTime<Utc>>{ v.as_str().and_then(|s|s.parse().ok()) }
fn tx(v:&serde_json::Value)->Option<Text>{ v.as_str().map(Text::from) }
fn cpu()->f64{ let s=std::fs::read_to_string("/proc/self/stat").unwrap(); let f:Vec<&str>=s.rsplit_once(')').unwrap().1.split_whitespace().collect(); (f[11].parse::<f64>().unwrap()+f[12].parse::<f64>().unwrap())/100.0 }
fn io()->u64{ let s=std::fs::read_to_string("/proc/self/io").unwrap(); s.lines().find_map(|l|l.strip_prefix("wchar: ")).unwrap().parse().unwrap() }
fn snap(sys:&str,list:List,ch:Option<Channel>,rows:Rows)->Snapshot{ let n=rows.len(); Snapshot{stream:Stream{system:SystemId::parse(sys).unwrap(),list,channel:ch},as_of:AsOf{at:"2026-01-01T00:00:00Z".parse().unwrap(),basis:AsOfBasis::Stated},coverage:Coverage::Complete(Proof::YourWord),population:Population::Everyone,id_form:None,rows,origins:(0..n).map(|i|RowOrigin{request:0,line:i as u32+1,offset:i as u64*800,len:800}).collect(),requests:vec![Request{method:"FILE".into(),url:"x".into(),status:None,n_bytes:1,sha256:[1;32],date:None,request_id:None,n_rows:n as u64,duration_ms:1}],notes:vec![]} }
fn read(dir:&str,f:&str)->Vec<serde_json::Value>{ std::fs::read_to_string(Path::new(dir).join(f)).unwrap().lines().map(|l|serde_json::from_str(l).unwrap()).collect() }
fn world(dir:&str)->Vec<Snapshot>{
 let mut words=std::collections::HashMap::<String,Raw>::new();
 let mut raw=|v:&serde_json::Value|v.as_str().map(|s|words.entry(s.into()).or_insert_with(||s.into()).clone());
 let ids=read(dir,"okta_users.jsonl").iter().map(|v|Identity{id:tx(&v["id"]).unwrap(),user_name:tx(&v["profile"]["login"]),email:tx(&v["profile"]["email"]),employee_number:tx(&v["profile"]["employeeNumber"]),immutable_id:None,display_name:tx(&v["profile"]["displayName"]),kind:IdentityKind::Member,lifecycle:Lifecycle::Active,raw_status:raw(&v["status"]),created_at:t(&v["created"]),status_changed_at:t(&v["statusChanged"]),starts_at:None,ends_at:None}).collect();
 let asg=read(dir,"okta_app_users.jsonl").iter().map(|v|Assignment{principal:Principal::Identity(tx(&v["id"]).unwrap()),via:if v["scope"]=="GROUP"{Via::Groups(vec![])}else{Via::Direct},grant:Grant::Grants,raw_status:raw(&v["status"]),account_id:tx(&v["externalId"]),user_name:tx(&v["credentials"]["userName"]),changed_at:t(&v["statusChanged"])}).collect();
 let acc=read(dir,"scim_users.jsonl").iter().map(|v|Account{id:tx(&v["id"]).unwrap(),external_id:tx(&v["externalId"]),user_name:tx(&v["userName"]),email:tx(&v["emails"][0]["value"]),employee_number:None,display_name:tx(&v["displayName"]),active:v["active"].as_bool().map_or(ActiveFlag::Absent,ActiveFlag::Set),invitation:Invitation::NotStated,raw_status:None,active_source:None,roles:None,groups:Some(vec![]),ends_at:None,created_at:t(&v["meta"]["created"]),modified_at:t(&v["meta"]["lastModified"]),last_used_at:None}).collect();
 vec![snap("okta",List::Identities,None,Rows::Identities(ids)),snap("okta",List::Assignments,None,Rows::Assignments(asg)),snap("app",List::Accounts,Some(Channel::Scim),Rows::Accounts(acc))]
}
fn findings(n:i64,run:RunId,now:DateTime<Utc>,first:RunId)->Vec<Finding>{ (1..=n).map(|i|Finding{id:FindingId(i),fingerprint:Fingerprint({let mut f=[7;32];f[..8].copy_from_slice(&i.wrapping_mul(0x9E3779B97F4A7C15u64 as i64).to_le_bytes());f}),app:SystemId::parse("app").unwrap(),subject:Subject{kind:SubjectKind::Account,system:SystemId::parse("app").unwrap(),key:format!("a67bec62-bbe4-47ec-ab14-{i:012}").into(),entity:EntityId(i)},cause:Cause::LeaverActive,severity:Severity::Critical,state:FindingState::Open,episode:1,detected_at:"2026-01-01T00:00:00Z".parse().unwrap(),detected_run:first,looks:vec![Look{stream:Stream{system:SystemId::parse("app").unwrap(),list:List::Accounts,channel:Some(Channel::Scim)},as_of:"2026-01-01T00:00:00Z".parse().unwrap(),is_assumed:false,body_digest:[3;32]}],clock_from:"2026-01-01T00:00:00Z".parse().unwrap(),grace_until:"2026-01-01T00:00:00Z".parse().unwrap(),opened_at:Some("2026-01-01T00:00:00Z".parse().unwrap()),resolved_at:None,resolution:None,state_until:None,last_seen_at:now,exposures:vec![Exposure{started:Interval{earliest:None,latest:None},last_seen_active:None,first_seen_inactive:None}],n_reopened:0}).map(|f|{let _=run;f}).collect() }
fn report(snaps:&[Snapshot],fs:&[Finding],run:RunId)->Vec<u8>{ let Rows::Accounts(a)=&snaps[2].rows else{panic!()}; let mut s=format!("{{\"run\":{}",run.0); for (f,a) in fs.iter().zip(a){ s+=&format!(",{{\"id\":\"{}\",\"fingerprint\":\"{}\",\"subject\":\"{}\",\"user_name\":\"{:?}\",\"cause\":\"leaver_active\",\"severity\":\"critical\",\"explanation\":{{\"summary\":\"{} left and the account is still active since the last look\",\"facts\":[{{\"text\":\"row says active `true`\",\"source\":\"app accounts\",\"at\":\"2026-01-01T00:00:00Z\"}}],\"trials\":[{{\"tier\":\"external_id\",\"value\":\"{:?}\",\"outcome\":\"decided\"}},{{\"tier\":\"email\",\"value\":\"{:?}\",\"outcome\":\"agrees\"}}]}},\"seen_in\":{}}}",f.id,f.fingerprint,a.id,a.user_name,a.id,a.external_id,a.email,run.0); } s.into_bytes() }
async fn night(dir:&str,db:&str,label:&str){
 let mut snaps=world(dir); for s in &mut snaps{ if label!="1"{ s.as_of.at="2026-01-02T00:00:00Z".parse().unwrap(); } }
 let (c0,w0,i0)=(cpu(),tokio::time::Instant::now(),io());
 let store=Store::open(Path::new(db)).unwrap(); let mut st=store.load().await.unwrap();
 let (c1,w1)=(cpu(),w0.elapsed()); println!("  written by load {}",io()-i0);
 let en:Vec<Enrolled>=snaps.iter().map(|s|st.enrol(s)).collect();
 let (c2,w2)=(cpu(),w0.elapsed());
 for (s,e) in snaps.iter().zip(&en){ println!("  {} new {} changed {} same {} gone {}",s.stream,e.n_new,e.n_changed,e.n_unchanged,e.n_gone);}
 let run=st.next_run(); let now="2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()+chrono::TimeDelta::days(run.0);
 let first= st.last_run.map_or(run,|_|RunId(1));
 let nf=std::env::args().nth(4).map_or(2500,|s|s.parse().unwrap());
 let fs=findings(nf,run,now,first);
 let mut links=vec![]; let mut standings=vec![];
 let ids=&en[0].entities;
 if run.0==1 { for (i,e) in en[2].entities.iter().enumerate(){ links.push(LinkChange{account:*e,link:Some((ids[i%ids.len()],Tier::ExternalId))}); standings.push((*e,Verdict::Confirmed)); } }
 else { for e in en[2].entities.iter().step_by(1000){ standings.push((*e,Verdict::Confirmed)); } for e in en[2].entities.iter().step_by(2000){ links.push(LinkChange{account:*e,link:None}); } }
 let bodies=if run.0==1{ en[2].entities.iter().take(nf as usize*3).enumerate().map(|(i,e)|Body{entity:*e,bytes:format!("{{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"],\"id\":\"{}\",\"n\":{i},\"pad\":\"{:?}\"}}",e.0,e).into_bytes()}).collect()}else{vec![]};
 let json=report(&snaps,&fs,run); println!("  report {} KB",json.len()/1000);
 let commit=Commit{run:RunSummary{id:run,now,started_at:now,software:"x".into(),settings_digest:[0;32],policy_version:1,n_open:1,n_pending:0,n_critical:1,judged_apps:vec![SystemId::parse("app").unwrap()]},report_json:json,snapshots:snaps.into_iter().zip(en).collect(),links,standings,episodes:vec![],findings:fs,events:vec![],voided_waivers:vec![],bodies};
 let (c3,w3)=(cpu(),w0.elapsed());
 store.commit(commit).await.unwrap();
 let (c4,w4)=(cpu(),w0.elapsed());
 println!("  written by commit {}",io()-i0); drop(store); drop(st);
 let c5=cpu();
 println!("{label}: load {:.2}/{:.2} enrol {:.2}/{:.2} commit {:.2}/{:.2} close {:.2}; total cpu {:.2}; written {} KB; file {} KB",c1-c0,w1.as_secs_f64(),c2-c1,(w2-w1).as_secs_f64(),c4-c3,(w4-w3).as_secs_f64(),c5-c4,c5-c3+c2-c0,(io()-i0)/1000,std::fs::metadata(db).unwrap().len()/1000);
}
#[tokio::main] async fn main(){ let a:Vec<String>=std::env::args().collect(); let db=&a[3]; for s in ["","-wal","-shm",".lock"]{ let _=std::fs::remove_file(format!("{db}{s}")); }
 night(&a[1],db,"1").await; night(&a[2],db,"2").await; night(&a[2],db,"3").await;
 let s=Store::open(Path::new(db)).unwrap(); let w=tokio::time::Instant::now(); let c=cpu(); println!("verify {:?} {:.2}s cpu {:.2}",s.verify().await.unwrap(),w.elapsed().as_secs_f64(),cpu()-c);
 let w=tokio::time::Instant::now(); let r=s.rows(SnapshotId(1)).await.unwrap(); println!("rows {} in {:?}",r.rows.len(),w.elapsed());
 let w=tokio::time::Instant::now(); let h=s.history_of(r.entities[500]).await.unwrap(); println!("history {} in {:?}",h.len(),w.elapsed());
 let w=tokio::time::Instant::now(); let h=s.gone(r.absent.clone(),SnapshotId(1)).await.unwrap(); println!("gone {} in {:?}",h.len(),w.elapsed());
}
