//! One history with everything that makes an audit trail difficult, and what is told of it, line by line.

use std::fmt::Write;

use lawbook::history::Event;
use lawbook::history::Lines;
use lawbook::history::People;
use lawbook::history::Person;
use lawbook::history::Repository as Opened;
use lawbook::history::Trail;

use crate::repository::Repository;
use crate::repository::policy;
use crate::signing::Keys;

const SIGNERS: &str = ".lawbook/allowed_signers";

/// By a key that nobody has: verified or not, on no machine it is more than present.
const OPENPGP: &str = "\
-----BEGIN PGP SIGNATURE-----

iHUEABYIAB0WIQTRi4537B5MUU6J72albwy0c+JcEQUCawLzuAAKCRClbwy0c+Jc
ESDQAQDEdKHLyAXXgaQFx0SRjBDNLebv4CHE5kb0aG9RhBVA/gD+IRMi40gNr/LN
4czfYWADEwTnc2AMZUnz7e1mKT0s+g8=
=tG0k
-----END PGP SIGNATURE-----
";

/// A policy with a description, in lines far enough from each other to be merged one by one.
fn wide(id: &str, service: &str, members: &str) -> String {
    format!(
        "_id: {id}\nservice: {service}\n# first\n# second\n# third\n# fourth\nactions: [read]\n# fifth\n# sixth\n# seventh\nmembers: [{members}]\n"
    )
}

fn commit_by(repository: &Repository, author: &str, message: &str) {
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--author", author, "-m", message]);
    repository.tick();
}

fn merge(repository: &Repository, branch: &str, arguments: &[&str]) {
    repository.git(&[&["merge", "--quiet", "--no-ff"], arguments, &[branch]].concat());
    repository.tick();
}

fn on(repository: &Repository, branch: &str) {
    repository.git(&["checkout", "--quiet", branch]);
}

fn fork(repository: &Repository, branch: &str) {
    repository.git(&["checkout", "--quiet", "-b", branch]);
}

fn signed_commits(repository: &Repository, keys: &Keys) {
    let (ann, eve) = (format!("ann@example.com {}\n", keys.public("ann")), format!("eve@example.com {}\n", keys.public("eve")));
    let change = |description: &str| repository.write("policies/a.yaml", policy("A") + &format!("description: {description}\n"));
    repository.write(SIGNERS, &ann).write(".mailmap", "Robert <robert@example.com> <bob@old.example.com>\n");
    change("one").write("policies/two.yaml", format!("{}---\n{}", policy("B"), policy("C") + "enabled: false\n"));
    repository.commit_signed(keys, "ann", "the root vouches for nobody");
    change("two").commit_signed(keys, "ann", "signed by Ann");
    change("three").write(SIGNERS, ann.clone() + &eve).commit_signed(keys, "eve", "Eve adds her own key");
    change("four").commit_signed(keys, "eve", "signed by Eve, who is known now");
    change("five").write(SIGNERS, &ann).commit_signed(keys, "eve", "Eve takes her key away");
    change("six").commit_signed(keys, "eve", "signed by Eve, too late");
    change("seven").commit("signed with OpenPGP");
    let raw = repository.git(&["cat-file", "commit", "HEAD"]) + "\n";
    let header = format!("\ngpgsig {}\n\nsigned", OPENPGP.trim_end().replace('\n', "\n "));
    repository.commit_raw(raw.replacen("\n\nsigned", &header, 1).as_bytes());
}

fn lives(repository: &Repository) {
    repository.write(
        "policies/a.yaml",
        "id: A\nname: a\ndescription: ''\ntype: access\nrules: []\nenabled: true\ncreated_at: 2026-01-01T00:00:00.000Z\n",
    );
    repository.commit("A becomes a control");
    repository
        .write("policies/a.yaml", repository.read("policies/a.yaml").replace("id: A", "id: pol-a"))
        .commit("the control A is called pol-a");
    repository
        .write("policies/a.yaml", repository.read("policies/a.yaml").replace("enabled: true", "enabled: false"))
        .commit("switch pol-a off");
    repository.write("policies/d.yaml", policy("D")).commit("add D");
    let broken = "_id: D\nservice: [\n";
    repository.write("policies/d.yaml", broken).commit("break D");
    repository.write("policies/d.yaml", format!("# still broken\n{broken}")).commit("D is still broken");
    repository.write("policies/d.yaml", policy("D").replace("staff", "board")).commit("repair D otherwise");
    repository.write("policies/b.yaml", policy("B")).write("policies/two.yaml", policy("C") + "enabled: false\n").commit("B moves out");
    repository
        .write("policies/two.yaml", policy("B"))
        .write("policies/b.yaml", policy("C") + "enabled: false\n")
        .commit("B and C swap their files");
    repository.write("policies/b.yaml", "# C\n".to_owned() + &policy("C") + "enabled:   no\n").commit("C in other words, and wrong ones");
    repository.write("policies/b.yaml", "# C\n".to_owned() + &policy("C") + "enabled:   false\n").commit("C in other words");
    repository.write("policies/d.yaml", policy("D").replace("staff", "public")).commit("D for everybody");
    repository.git(&["revert", "--no-edit", "HEAD"]);
    repository.tick();
    repository.remove("policies/d.yaml").commit("remove D");
    repository.write("policies/e.yaml", policy("D").replace("staff", "board")).commit("D is back elsewhere");
}

fn people(repository: &Repository) {
    repository.write("policies/f.yaml", wide("F", "mail", "ops"));
    commit_by(repository, "Bob <bob@old.example.com>", "add F");
    repository.write("policies/f.yaml", wide("F", "mail", "ops, dev"));
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--date", "2001-01-01T00:00:00+0000", "-m", "written long before its parent"]);
    repository.tick();
    repository.write("policies/f.yaml", wide("F", "mail", "ops"));
    repository.commit("squashed (#12)\n\nTicket: OPS-7\nReviewed-by: Grace <grace@example.com>\nCo-authored-by: Bob <bob@old.example.com>\nCo-authored-by: Hal <hal@example.com>");
}

fn merges(repository: &Repository) {
    fork(repository, "taken");
    repository.write("policies/g.yaml", wide("G", "mail", "ops"));
    commit_by(repository, "Bob <bob@old.example.com>", "side: add G");
    repository.write("policies/g.yaml", wide("G", "mail", "dev"));
    commit_by(repository, "Hal <hal@example.com>", "side: G for dev\n\nCo-authored-by: Ida <ida@example.com>");
    repository.write("README.md", "beside the law book");
    commit_by(repository, "Joe <joe@example.com>", "side: read me");
    on(repository, "main");
    repository.write("policies/f.yaml", wide("F", "mail", "staff")).commit("F for staff");
    merge(repository, "taken", &["-m", "merge what one side wrote"]);

    fork(repository, "combined");
    repository.write("policies/g.yaml", wide("G", "letters", "dev"));
    commit_by(repository, "Hal <hal@example.com>", "side: G on letters");
    on(repository, "main");
    repository.write("policies/g.yaml", wide("G", "mail", "dev, ops")).commit("G for ops too");
    merge(repository, "combined", &["-m", "merge what both sides wrote"]);

    fork(repository, "conflict");
    repository.write("policies/g.yaml", wide("G", "letters", "left"));
    commit_by(repository, "Ida <ida@example.com>", "side: G for left");
    on(repository, "main");
    repository.write("policies/g.yaml", wide("G", "letters", "right")).commit("G for right");
    repository.git(&["merge", "--quiet", "--no-ff", "--strategy=ours", "--no-commit", "conflict"]);
    repository.write("policies/g.yaml", wide("G", "letters", "left, right")).commit("merge a conflict by hand");

    fork(repository, "evil");
    repository.write("policies/h.yaml", policy("H"));
    commit_by(repository, "Ida <ida@example.com>", "side: add H");
    on(repository, "main");
    repository.write("policies/g.yaml", wide("G", "letters", "left")).commit("G for left again");
    repository.git(&["merge", "--quiet", "--no-ff", "--no-commit", "evil"]);
    repository.write("policies/f.yaml", wide("F", "mail", "everybody")).commit("merge H, and open F");

    for (branch, id) in [("one", "I"), ("two", "J")] {
        fork(repository, branch);
        repository.write(&format!("policies/{branch}-more.yaml"), policy(id));
        commit_by(repository, "Joe <joe@example.com>", &format!("side: add {id}"));
        on(repository, "main");
    }
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge two at once", "one", "two"]);
    repository.tick();
}

fn show(person: &Person, people: &People) -> String {
    let known = people.known(person);
    if *known == *person { person.to_string() } else { format!("{known} (as {person})") }
}

fn tell(trail: &Trail, event: &Event, people: &People) -> String {
    let landing = &event.landing;
    let subject = |commit: &str| trail.events().iter().find(|one| one.landing.commit == commit).map(|one| one.landing.subject.clone());
    let mut text = format!("{} `{}`: {} {} {}", event.seq, landing.subject, event.action, event.policy, event.path);
    text.extend(event.from.iter().map(|from| format!(" from {from}")));
    text.extend(event.renamed.iter().map(|old| format!(" was {old}")));
    text.extend(event.restores.iter().map(|commit| format!(" as in `{}`", subject(commit).expect("an earlier event"))));
    write!(text, "\n    {}, {}", show(&landing.author, people), landing.authored).expect("a string");
    if landing.authored != landing.committed {
        write!(text, ", committed {}", landing.committed).expect("a string");
    }
    text.extend(landing.co_authors().iter().map(|person| format!(", with {}", show(person, people))));
    let claimed = landing.trailers.iter().filter(|(key, _)| key != "Co-authored-by");
    text.extend(claimed.map(|(key, value)| format!(", {key}: {value}")));
    let signature = &landing.signature;
    write!(text, "; {}", signature.status.as_str()).expect("a string");
    text.extend(signature.principal.iter().map(|name| format!(" ({name})")));
    if let Some(merge) = &event.merge {
        let people: Vec<String> = merge.contributors.iter().map(|person| show(person, people)).collect();
        write!(
            text,
            "\n    merge: {}, of {}",
            merge.kind.as_str(),
            if people.is_empty() { "nobody".to_owned() } else { people.join(", ") }
        )
        .expect("a string");
    }
    if event.before.is_some() && event.after.is_some() {
        let value = |value: &Option<serde_json::Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
        for change in event.changes() {
            write!(text, "\n    {} {} {} > {}", change.kind.as_str(), change.path.join("."), value(&change.lhs), value(&change.rhs))
                .expect("a string");
        }
    }
    text + "\n"
}

/// Every line of the snapshot was checked by hand against the script above.
#[test]
fn every_difficulty_of_a_history_is_told_as_it_is() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]).make("eve", &["ed25519"]);
    let repository = Repository::new();
    signed_commits(&repository, &keys);
    lives(&repository);
    people(&repository);
    merges(&repository);
    let opened = Opened::open(&repository.path()).expect("opens");
    let trail = Trail::read(&opened, "HEAD", Lines::Landed, &|_, _| ()).expect("a trail");
    let people = People::at(&opened, "HEAD").expect("people");
    let told: String = trail.events().iter().map(|event| tell(&trail, event, &people)).collect();
    insta::assert_snapshot!("difficult_history", told);
    let all = Trail::read(&opened, "HEAD", Lines::All, &|_, _| ()).expect("a trail");
    let sides: Vec<String> = all
        .events()
        .iter()
        .filter(|event| !event.landing.landed)
        .map(|event| format!("`{}`: {} {} by {}", event.landing.subject, event.action, event.policy, event.landing.author.name))
        .collect();
    insta::assert_snapshot!("difficult_history_sides", sides.join("\n"));
    let landed = all.events().iter().filter(|event| event.landing.landed);
    let facts = |event: &Event| (event.landing.commit.clone(), event.action, event.policy.clone(), event.state, event.changes());
    assert_eq!(landed.map(facts).collect::<Vec<_>>(), trail.events().iter().map(facts).collect::<Vec<_>>());
}
