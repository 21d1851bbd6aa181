using System.Text;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class MasterKeyTests
{
    private static readonly SeededEntropy Entropy = new(12);

    private readonly MasterKey _master = MasterKey.Generate(Entropy);

    [Fact]
    public void Its_text_gives_it_back()
    {
        using MasterKey read = MasterKey.FromText(_master.ToText());
        Assert.Equal(_master.Id, read.Id);
        Assert.Equal(SealingRig.KeysIn(_master)[0], SealingRig.KeysIn(read)[0]);
    }

    [Theory]
    [InlineData("\r\n", "")]
    [InlineData("\r\n", "\r\n")]
    [InlineData("\n", "")]
    [InlineData("\n", "\n\n  \n")]
    public void Line_ends_of_any_editor_are_read(string lineEnd, string end)
    {
        string text = Encoding.ASCII.GetString(_master.ToText()).TrimEnd().ReplaceLineEndings(lineEnd) + end;
        using MasterKey read = MasterKey.FromText(Encoding.ASCII.GetBytes(text));
        Assert.Equal(_master.Id, read.Id);
    }

    [Fact]
    public void A_flipped_bit_in_its_text_is_refused_or_changes_nothing()
    {
        int refused = 0;
        byte[] text = _master.ToText();
        SealingRig.ForEachFlippedBit(text, (flipped, _) =>
        {
            try
            {
                // Only the case of a digit changes nothing.
                using MasterKey read = MasterKey.FromText(flipped);
                Assert.Equal(_master.Id, read.Id);
                Assert.Equal(Lower(text), Lower(flipped));
            }
            catch (ZeroStorException refusal)
            {
                Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
                AssertTellsNoKey(refusal.ToString());
                refused++;
            }
        });
        Assert.True(refused > text.Length * 7);
    }

    [Fact]
    public void Every_truncation_of_its_text_is_refused()
    {
        byte[] text = _master.ToText();
        for (int length = 0; length < text.Length - 1; length++)
        {
            SealingRig.AssertRefused(
                ErrorKind.InvalidArgument, () => MasterKey.FromText(text.AsSpan(0, length)).Dispose());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n")]
    [InlineData("ZeroStor master key 2\nid  0\nkey 0\n")]
    [InlineData("ZeroStor master key 1\n")]
    public void A_foreign_file_is_refused(string text) => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => MasterKey.FromText(Encoding.ASCII.GetBytes(text)).Dispose());

    [Fact]
    public void A_fourth_line_is_refused() => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => MasterKey.FromText([.. _master.ToText(), (byte)'x']).Dispose());

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void Other_lengths_than_32_bytes_are_refused(int length) => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => MasterKey.FromBytes(new byte[length]).Dispose());

    [Fact]
    public void Two_keys_have_two_ids()
    {
        using MasterKey other = MasterKey.Generate(Entropy);
        Assert.NotEqual(_master.Id, other.Id);
        Assert.Equal(32, other.Id.Length);
    }

    [Fact]
    public void It_shows_its_id_and_never_its_bytes()
    {
        Assert.Contains(_master.Id, _master.ToString(), StringComparison.Ordinal);
        AssertTellsNoKey(_master.ToString());
        AssertTellsNoKey(_master.Secret.ToString());
    }

    [Fact]
    public void Disposed_it_is_zeros_that_nobody_can_use()
    {
        byte[] key = Assert.Single(SealingRig.KeysIn(_master));
        _master.Dispose();
        Assert.All(key, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => _master.ToText());
        Assert.Throws<ObjectDisposedException>(
            () => KeyRing.Create(_master, VaultId.New(Entropy), SealingRig.Now, Entropy));
    }

    // Eight bytes of it in a row, in hexadecimal, would be telling.
    private void AssertTellsNoKey(string text)
    {
        string key = Convert.ToHexStringLower(SealingRig.KeysIn(_master)[0]);
        for (int i = 0; i + 16 <= key.Length; i++)
        {
            Assert.DoesNotContain(key.Substring(i, 16), text, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static string Lower(byte[] ascii) => Encoding.ASCII.GetString(ascii).ToLowerInvariant();
}
