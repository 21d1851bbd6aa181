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
        using MasterKey read = Read(Text());
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
        string text = Encoding.ASCII.GetString(Text()).TrimEnd().ReplaceLineEndings(lineEnd) + end;
        using MasterKey read = Read(Encoding.ASCII.GetBytes(text));
        Assert.Equal(_master.Id, read.Id);
    }

    [Fact]
    public void A_flipped_bit_in_its_text_is_refused_or_changes_nothing()
    {
        int refused = 0;
        byte[] text = Text();
        SealingRig.ForEachFlippedBit(text, (flipped, _) =>
        {
            try
            {
                // Only the case of a digit changes nothing.
                using MasterKey read = Read(flipped);
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
        byte[] text = Text();
        for (int length = 0; length < text.Length - 1; length++)
        {
            SealingRig.AssertRefused(
                ErrorKind.InvalidArgument, () => Read(text.AsSpan(0, length)).Dispose());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n")]
    [InlineData("ZeroStor master key 2\nid  0\nkey 0\n")]
    [InlineData("ZeroStor master key 1\n")]
    public void A_foreign_file_is_refused(string text) => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => Read(Encoding.ASCII.GetBytes(text)).Dispose());

    [Fact]
    public void A_fourth_line_is_refused() => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => Read([.. Text(), (byte)'x']).Dispose());

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
    public async Task Disposed_it_is_zeros_that_nobody_can_use()
    {
        byte[] key = Assert.Single(SealingRig.KeysIn(_master));
        _master.Dispose();
        Assert.All(key, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => Text());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => _master.WrapAsync(new byte[32], default, Entropy, TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public void Under_a_passphrase_it_opens_with_that_alone_and_shows_nothing_of_the_key()
    {
        byte[] text = MasterKeyText.Write(_master, "correct horse"u8, Entropy);
        AssertTellsNoKey(Encoding.ASCII.GetString(text));
        Assert.Contains("\nkdf argon2id 65536 3 4 ", Encoding.ASCII.GetString(text), StringComparison.Ordinal);
        using MasterKey read = MasterKeyText.Read(text, "correct horse"u8);
        Assert.Equal(_master.Id, read.Id);
        Assert.NotEqual(text, MasterKeyText.Write(_master, "correct horse"u8, Entropy));
        foreach ((string passphrase, string says) in ((string, string)[])[
            ("correct horse ", "does not open master key"), ("", "is under a passphrase")])
        {
            ZeroStorException refusal = Assert.Throws<ZeroStorException>(
                () => MasterKeyText.Read(text, Encoding.UTF8.GetBytes(passphrase)));
            Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
            Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        }

        ZeroStorException unneeded = Assert.Throws<ZeroStorException>(() => MasterKeyText.Read(Text(), "x"u8));
        Assert.Contains("under no passphrase", unneeded.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_changed_in_a_text_under_a_passphrase_is_refused_and_harms_nobody()
    {
        string text = Encoding.ASCII.GetString(MasterKeyText.Write(_master, "p"u8, Entropy));
        foreach ((string from, string to) in ((string, string)[])[
            (" 65536 ", " 65535 "), (" 65536 ", " 99999999 "), (" 3 4 ", " 0 4 "), (" 3 4 ", " 3 0 "),
            (" 3 4 ", " 03 4 "), (" 65536 3 4 ", " 8 1 4 "), ("argon2id", "argon2i"), ("box ", "box 0"),
            ("id  ", "id  0"), ("kdf", "KDF"), ("key 2", "key 3")])
        {
            string changed = text.Replace(from, to, StringComparison.Ordinal);
            Assert.NotEqual(text, changed);
            SealingRig.AssertRefused(
                ErrorKind.InvalidArgument,
                () => MasterKeyText.Read(Encoding.ASCII.GetBytes(changed), "p"u8).Dispose());
        }

        string id = text.Split('\n')[1];
        string other = text.Replace(id, id[..^1] + (id[^1] == '0' ? '1' : '0'), StringComparison.Ordinal);
        SealingRig.AssertRefused(
            ErrorKind.InvalidArgument, () => MasterKeyText.Read(Encoding.ASCII.GetBytes(other), "p"u8).Dispose());
    }

    private byte[] Text() => MasterKeyText.Write(_master, [], Entropy);

    private static MasterKey Read(ReadOnlySpan<byte> text) => MasterKeyText.Read(text, []);

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
