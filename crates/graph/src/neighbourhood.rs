//! The part of the graph around one person, with the keys that join it: DOT, JSON and SVG.

use domain::Tier;
use layout::backends::svg::SVGWriter;
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;
use petgraph::dot::{Config, Dot};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;
use rustc_hash::FxHashMap;
use serde_json::json;

use crate::estate::Standing;
use crate::identity_graph::IdentityGraph;
use crate::node::{Edge, Node};

/// More nodes than this are no picture. A person has a dozen; a group's node stands for its others.
const NODES_MAX: usize = 200;

/// The size of all letters, which is that of the library's arrows: with two sizes it writes them
/// down in an order that changes from call to call.
const FONT: usize = 15;

/// The part of the graph around one person or account.
#[derive(Debug)]
pub struct Neighbourhood {
    drawn: DiGraph<Drawn, &'static str>,
}

/// One node of a drawing.
#[derive(Debug)]
struct Drawn {
    kind: &'static str,
    label: String,
    is_gone: bool,
}

impl IdentityGraph<'_> {
    /// The neighbourhood of a person: identities, assignments, groups, accounts, and the keys
    /// that join accounts to them, agreeing or not.
    #[must_use]
    pub fn neighbourhood(&self, person: u32) -> Neighbourhood {
        let mut sketch = Sketch { graph: self, drawn: DiGraph::new(), known: FxHashMap::default() };
        sketch.add_person(person);
        for account in self.accounts_of(person) {
            sketch.add_account(account);
        }
        Neighbourhood { drawn: sketch.drawn }
    }

    /// The neighbourhood of an account that nobody owns, or that several may.
    #[must_use]
    pub fn neighbourhood_of_account(&self, account: usize) -> Neighbourhood {
        let mut sketch = Sketch { graph: self, drawn: DiGraph::new(), known: FxHashMap::default() };
        for owner in self.link(account).contenders().iter() {
            sketch.add_person(self.person_of(*owner));
        }
        sketch.add_account(account);
        Neighbourhood { drawn: sketch.drawn }
    }
}

struct Sketch<'s, 'e> {
    graph: &'s IdentityGraph<'e>,
    drawn: DiGraph<Drawn, &'static str>,
    known: FxHashMap<(Option<Node>, String), NodeIndex>,
}

impl Sketch<'_, '_> {
    fn node(&mut self, node: Option<Node>, drawn: Drawn) -> Option<NodeIndex> {
        let key = (node, if node.is_some() { String::new() } else { drawn.label.clone() });
        if let Some(known) = self.known.get(&key) {
            return Some(*known);
        }
        if self.drawn.node_count() >= NODES_MAX {
            return None;
        }
        let index = self.drawn.add_node(drawn);
        self.known.insert(key, index);
        Some(index)
    }

    fn edge(&mut self, from: Option<NodeIndex>, to: Option<NodeIndex>, label: &'static str) {
        if let (Some(from), Some(to)) = (from, to) {
            self.drawn.update_edge(from, to, label);
        }
    }

    fn add_person(&mut self, number: u32) {
        let label = format!("person {}", number + 1);
        let drawn = Drawn { kind: "person", label, is_gone: false };
        let person = self.node(Some(Node::Person(number)), drawn);
        for at in self.graph.identities_of(number) {
            let identity = self.add_identity(at);
            self.edge(identity, person, Edge::Is.label());
        }
    }

    fn add_identity(&mut self, at: usize) -> Option<NodeIndex> {
        let sighting = self.graph.estate.identities.get(at)?;
        let label = format!(
            "{}\n{} ({})",
            self.graph.identity_key(at),
            sighting.row.raw_status.as_deref().unwrap_or("status not stated"),
            sighting.row.lifecycle,
        );
        let is_gone = sighting.standing == Standing::Gone;
        let identity = self.node(
            Some(Node::Identity(crate::person::count(at))),
            Drawn { kind: "identity", label, is_gone },
        );
        for assignment in self.graph.assignments_of(at) {
            let status = assignment.row.raw_status.as_deref().unwrap_or("");
            let label =
                format!("assignment\n{} {status}", assignment.row.grant).trim_end().to_owned();
            let is_gone = assignment.standing == Standing::Gone;
            let node = self.node(
                None,
                Drawn {
                    kind: "assignment",
                    label: format!("{label}\n{}", self.graph.estate.place(assignment, "")),
                    is_gone,
                },
            );
            match &assignment.row.principal {
                domain::Principal::Identity(_) => self.edge(node, identity, Edge::Names.label()),
                domain::Principal::Group(group) => {
                    let drawn =
                        Drawn { kind: "group", label: format!("group\n{group}"), is_gone: false };
                    let group = self.node(None, drawn);
                    self.edge(identity, group, Edge::MemberOf.label());
                    self.edge(node, group, Edge::Names.label());
                }
            }
            if let domain::Via::Groups(groups) = &assignment.row.via {
                for group in groups {
                    let name = group.name.as_deref().unwrap_or(&group.id);
                    let drawn =
                        Drawn { kind: "group", label: format!("group\n{name}"), is_gone: false };
                    let group = self.node(None, drawn);
                    self.edge(node, group, Edge::Through.label());
                }
            }
        }
        identity
    }

    fn add_account(&mut self, at: usize) {
        let sighting = self.graph.account_row(at);
        let activity = domain::Activity::of(&sighting.row);
        let label = format!("{} account\n{}\n{activity}", self.graph.estate.app, sighting.row.id);
        let is_gone = sighting.standing == Standing::Gone;
        let account = self.node(
            Some(Node::Account(crate::person::count(at))),
            Drawn { kind: "account", label, is_gone },
        );
        for trial in self.graph.trials(at).into_iter().filter(|it| !it.names.is_empty()) {
            let value = trial.value.as_deref().unwrap_or_default();
            let what = if trial.tier == Tier::Operator { "decision" } else { trial.tier.label() };
            let drawn = Drawn { kind: "key", label: format!("{what}\n{value}"), is_gone: false };
            let key = self.node(None, drawn);
            self.edge(account, key, Edge::Carries.label());
            for named in trial.names {
                let identity = self.add_identity(named as usize);
                self.edge(key, identity, "names");
            }
        }
        for owner in self.graph.link(at).contenders().iter() {
            let owner = self.add_identity(*owner);
            self.edge(account, owner, Edge::OwnedBy.label());
        }
    }
}

impl Neighbourhood {
    /// Graphviz DOT.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let labels = self.drawn.map(
            |_, node| format!("{}{}", node.label, if node.is_gone { "\n(gone)" } else { "" }),
            |_, edge| *edge,
        );
        format!("{}", Dot::with_config(&labels, &[Config::GraphContentOnly])).lines().fold(
            "digraph neighbourhood {\n    rankdir=LR;\n    node [shape=box];\n".to_owned(),
            |dot, line| dot + line + "\n",
        ) + "}\n"
    }

    /// `{"nodes": [{"id", "kind", "label", "gone"}], "edges": [{"from", "to", "label"}]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let nodes: Vec<_> = self
            .drawn
            .node_indices()
            .filter_map(|at| self.drawn.node_weight(at).map(|node| (at, node)))
            .map(|(at, node)| {
                json!({"id": at.index(), "kind": node.kind, "label": node.label, "gone": node.is_gone})
            })
            .collect();
        let edges: Vec<_> = self
            .drawn
            .edge_references()
            .map(|edge| {
                json!({"from": edge.source().index(), "to": edge.target().index(), "label": edge.weight()})
            })
            .collect();
        json!({"nodes": nodes, "edges": edges})
    }

    /// A drawing, laid out from left to right.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut picture = VisualGraph::new(Orientation::LeftToRight);
        let handles: Vec<_> = self
            .drawn
            .node_weights()
            .map(|node| {
                let shape = match node.kind {
                    "person" => ShapeKind::new_circle(&node.label),
                    _ => ShapeKind::new_box(&node.label),
                };
                picture.add_node(Element::create(
                    shape,
                    style(node),
                    Orientation::LeftToRight,
                    size(node),
                ))
            })
            .collect();
        for edge in self.drawn.edge_references() {
            let ends = (handles.get(edge.source().index()), handles.get(edge.target().index()));
            if let (Some(from), Some(to)) = ends {
                let arrow = Arrow::simple(edge.weight());
                picture.add_edge(arrow, *from, *to);
            }
        }
        let mut writer = SVGWriter::new();
        if !handles.is_empty() {
            picture.do_it(false, false, false, &mut writer);
        }
        writer.finalize()
    }
}

/// One fill for each kind, pale enough for black text in print.
fn style(node: &Drawn) -> StyleAttr {
    let fill = match node.kind {
        "person" => 0xfff3_d6ff,
        "identity" => 0xe3ee_fbff,
        "account" => 0xe5f4_e8ff,
        "assignment" => 0xf1ea_faff,
        "group" => 0xf4f4_f4ff,
        _ => 0xffff_ffff,
    };
    let line = if node.is_gone { 0xa0a0_a0ff } else { 0x4040_40ff };
    StyleAttr::new(Color::new(line), 1, Some(Color::new(fill)), 0, FONT)
}

/// Room for the label: nine units a character, twenty a line.
fn size(node: &Drawn) -> Point {
    let width = node.label.lines().map(|it| it.chars().count()).max().unwrap_or(1);
    let height = node.label.lines().count().max(1);
    let units = |n: usize, each: u32, more: u32| {
        f64::from(u32::try_from(n).unwrap_or(u32::MAX / 64) * each + more)
    };
    match node.kind {
        "person" => Point::new(units(width, 10, 24), units(width, 10, 24)),
        _ => Point::new(units(width, 9, 24), units(height, 20, 16)),
    }
}
