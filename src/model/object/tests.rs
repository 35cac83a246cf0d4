use super::*;

#[test]
fn attributes_are_in_the_order_of_their_names_whether_known_or_not() {
    let mut names: Vec<&str> = Attribute::KNOWN.to_vec();
    names.extend(["aaa", "custom", "zzz"]);
    names.sort_unstable();
    let mut attributes: Vec<Attribute> = names.iter().rev().map(|n| Attribute::new(n)).collect();
    attributes.sort();
    let sorted: Vec<&str> = attributes.iter().map(Attribute::as_str).collect();
    assert_eq!(sorted, names);
    assert_eq!(Attribute::new("userName"), Attribute::USER_NAME);
    assert_eq!(Attribute::USER_NAME.as_str(), "userName");
    assert_eq!(Attribute::known().count(), Attribute::KNOWN.len());
    assert!(Attribute::known().all(|known| known.place().is_some()));
}
