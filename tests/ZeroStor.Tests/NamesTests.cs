using System.Text;
using CsCheck;

namespace ZeroStor.Tests;

public sealed class NamesTests
{
    private static readonly string[] Pieces =
        ["a", "b", "/", "\u0001", "\u007f", "\u0080", "é", "\uD7FF", "\uE000", "\uFFFF", "😀", "\U0010FFFF"];

    private static readonly Gen<string> GenText =
        Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 4].Select(string.Concat);

    [Fact]
    public void Keys_are_ordered_as_the_bytes_of_their_utf8() => Gen.Select(GenText, GenText).Sample(
        (a, b) => Assert.Equal(Math.Sign(ByBytes(a, b)), Math.Sign(ObjectKey.Compare(a, b))));

    [Fact]
    public void Behind_a_prefix_is_the_first_text_that_is_larger_and_does_not_begin_with_it() =>
        Gen.Select(GenText, GenText).Sample((prefix, other) =>
        {
            string? behind = ObjectKey.BehindPrefix(prefix);
            bool begins = other.StartsWith(prefix, StringComparison.Ordinal);
            bool within = ByBytes(other, prefix) >= 0 && (behind is null || ByBytes(other, behind) < 0);
            Assert.Equal(begins, within);
        });

    [Theory]
    [InlineData("a", "b")]
    [InlineData("a\U0010FFFF\U0010FFFF", "b")]
    [InlineData("\u007f", "\u0080")]
    [InlineData("\uD7FF", "\uE000")]
    [InlineData("\uFFFF", "\U00010000")]
    [InlineData("", null)]
    [InlineData("\U0010FFFF", null)]
    public void The_last_character_that_can_be_raised_is(string prefix, string? behind) =>
        Assert.Equal(behind, ObjectKey.BehindPrefix(prefix));

    [Fact]
    public void Nothing_lies_between_a_text_and_the_one_behind_it() => Gen.Select(GenText, GenText).Sample(
        (a, b) => Assert.Equal(ByBytes(b, a) > 0, ByBytes(b, ObjectKey.Behind(a)) >= 0));

    [Fact]
    public void The_largest_key_sorts_before_the_end_of_all()
    {
        string largest = string.Concat(Enumerable.Repeat("\U0010FFFF", Geometry.MaxKeyBytes / 4));
        ObjectKey.Check(largest);
        Assert.True(ByBytes(largest, ObjectKey.BehindAll) < 0);
    }

    [Fact]
    public void A_key_of_1024_bytes_is_one_and_a_longer_one_is_not()
    {
        ObjectKey.Check(new string('é', 512));
        Refused(() => ObjectKey.Check(new string('é', 512) + "a"));
    }

    [Fact]
    public void What_utf8_or_a_database_cannot_say_is_no_key()
    {
        // Not as data of a theory: an attribute's text is UTF-8 itself.
        foreach (string key in new[] { "", "a\uD83D", "\uDE00a", "\uDE00\uD83D", "a\u0000b" })
        {
            Refused(() => ObjectKey.Check(key));
        }
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("my-vault.2026")]
    [InlineData("0-0")]
    public void Vault_names_are_taken(string name) => VaultName.Check(name);

    [Theory]
    [InlineData("ab")]
    [InlineData("-abc")]
    [InlineData("abc.")]
    [InlineData("a..b")]
    [InlineData("Abc")]
    [InlineData("a/b")]
    [InlineData("àbc")]
    public void Other_vault_names_are_refused(string name) => Refused(() => VaultName.Check(name));

    [Fact]
    public void A_vault_name_has_at_most_63_characters()
    {
        VaultName.Check(new string('a', 63));
        Refused(() => VaultName.Check(new string('a', 64)));
    }

    private static int ByBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));

    private static void Refused(Action check) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(check).Kind);
}
