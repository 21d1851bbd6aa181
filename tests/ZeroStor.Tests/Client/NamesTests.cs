using System.Collections.Immutable;
using System.Text;
using CsCheck;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class NamesTests
{
    [Fact]
    public void Names_are_ordered_by_their_UTF8_bytes()
    {
        // Letters of one to four UTF-8 bytes; the last two are where UTF-16 sorts otherwise.
        Gen<string> name = Gen.OneOf(
            Gen.Const("a"), Gen.Const("/"), Gen.Const("é"), Gen.Const("水"), Gen.Const("\uffee"),
            Gen.Const("😀"))
            .Array[0, 5].Select(string.Concat);
        Gen.Select(name, name).Sample((a, b) => Assert.Equal(
            Math.Sign(Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b))),
            Math.Sign(Names.Compare(a, b))));
    }

    [Fact]
    public void A_key_has_1_to_1024_bytes_of_Unicode()
    {
        Names.CheckKey(new string('k', 1024));
        Names.CheckKey(new string('é', 512));
        string[] bad = ["", new string('k', 1025), new string('é', 513), "a\0b", "half \ud83d pair"];
        foreach (string key in bad)
        {
            Assert.Equal(
                ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(() => Names.CheckKey(key)).Kind);
        }
    }

    [Fact]
    public void Headers_are_bounded_together()
    {
        PutOptions Of(int bytes) => new()
        {
            ContentType = "a/b",
            Headers = ImmutableSortedDictionary<string, string>.Empty.Add("x", new string('v', bytes - 4)),
        };
        Names.CheckHeaders(Of(PutOptions.MaxHeaderBytes));
        Assert.Throws<ZeroStorException>(() => Names.CheckHeaders(Of(PutOptions.MaxHeaderBytes + 1)));
    }

    [Fact]
    public void An_ETag_is_something_that_a_condition_can_mean()
    {
        Names.CheckETag("d41d8cd98f00b204e9800998ecf8427e");
        foreach (string etag in new[] { "", "*", new string('e', PutOptions.MaxETagBytes + 1) })
        {
            Assert.Throws<ZeroStorException>(() => Names.CheckETag(etag));
        }
    }

    [Fact]
    public void A_vaults_name_has_no_slash()
    {
        Names.CheckVault("photos");
        Assert.Throws<ZeroStorException>(() => Names.CheckVault("a/b"));
        Assert.Throws<ZeroStorException>(() => Names.CheckVault(""));
    }
}
