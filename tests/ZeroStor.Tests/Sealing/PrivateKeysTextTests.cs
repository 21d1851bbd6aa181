using System.Text;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class PrivateKeysTextTests
{
    private static readonly SeededEntropy Entropy = new(17);

    private readonly PrivateKeys _keys =
        PrivateKeys.Generate(VaultId.New(Entropy), suite: null, Entropy).WithNext("xwing1024", Entropy);

    [Fact]
    public void A_key_file_holds_all_keys_with_any_line_ends()
    {
        byte[] text = PrivateKeysText.ToText(_keys);
        string lines = Encoding.ASCII.GetString(text);
        Assert.StartsWith($"ZeroStor vault key 1\nvault {_keys.Vault}\nkey 1 xwing ", lines, StringComparison.Ordinal);
        foreach (string form in (string[])[lines, lines.ReplaceLineEndings("\r\n"), lines.TrimEnd(), lines + "\n\n"])
        {
            using PrivateKeys read = PrivateKeysText.FromText(Encoding.ASCII.GetBytes(form));
            AssertSame(_keys, read);
        }
    }

    [Fact]
    public void Every_flipped_bit_and_every_cut_of_a_key_file_is_refused()
    {
        byte[] text = PrivateKeysText.ToText(_keys);
        SealingRig.ForEachFlippedBit(text, (flipped, bit) =>
        {
            // The last line feed is nobody's, and a carriage return is no byte of the text.
            if (bit / 8 < text.Length - 1)
            {
                SealingRig.AssertRefused(
                    ErrorKind.InvalidArgument, () => PrivateKeysText.FromText(flipped).Dispose());
            }
        });
        for (int length = 0; length < text.Length - 1; length++)
        {
            SealingRig.AssertRefused(
                ErrorKind.InvalidArgument, () => PrivateKeysText.FromText(text.AsSpan(0, length)).Dispose());
        }
    }

    [Fact]
    public void A_file_of_a_suite_that_is_not_known_asks_for_a_newer_version()
    {
        string text = Encoding.ASCII.GetString(PrivateKeysText.ToText(_keys));
        string later = text[..text.IndexOf("sum ", StringComparison.Ordinal)]
            .Replace("xwing1024", "xwing9999", StringComparison.Ordinal);
        byte[] lines = Encoding.ASCII.GetBytes(later);
        string sum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(lines))[..32];
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => PrivateKeysText.FromText(Encoding.ASCII.GetBytes($"{later}sum {sum}\n")));
        Assert.Contains("xwing9999", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recovery_key_gives_the_newest_key_however_it_is_typed()
    {
        string key = PrivateKeysText.ToRecoveryKey(_keys);
        Assert.Matches("^zs1(-[0-9a-hjkmnp-tv-z]{1,5})+$", key);
        foreach (string typed in (string[])[
            key, key.ToUpperInvariant(), key.Replace('-', ' ').Replace("zs1 ", "zs1-", StringComparison.Ordinal),
            $"  {key}\n", "zs1-" + key[4..].Replace('0', 'O').Replace('1', 'l')])
        {
            using PrivateKeys read = PrivateKeysText.FromRecoveryKey(typed);
            Assert.Equal(_keys.Vault, read.Vault);
            Assert.Equal(_keys.Newest.Generation, read.Newest.Generation);
            Assert.Equal(_keys.Newest.PublicKey, read.Newest.PublicKey);
            Assert.Equal("xwing1024", read.Newest.Kem.Name);
        }
    }

    [Fact]
    public void A_mistyped_recovery_key_is_refused_at_every_letter()
    {
        string key = PrivateKeysText.ToRecoveryKey(_keys);
        for (int at = 4; at < key.Length; at++)
        {
            if (key[at] != '-')
            {
                char other = key[at] == 'x' ? 'y' : 'x';
                string typed = key[..at] + other + key[(at + 1)..];
                SealingRig.AssertRefused(
                    ErrorKind.InvalidArgument, () => PrivateKeysText.FromRecoveryKey(typed).Dispose());
            }
        }

        foreach (string typed in (string[])["", "zs1-", key[4..], key[..^1], key + "0", key.Replace('-', '_')])
        {
            SealingRig.AssertRefused(
                ErrorKind.InvalidArgument, () => PrivateKeysText.FromRecoveryKey(typed).Dispose());
        }
    }

    [Fact]
    public void Nothing_shows_a_key()
    {
        byte[] seed = new byte[HybridKem.SeedBytes];
        _keys.Newest.Seed.CopyTo(seed);
        string shown = $"{_keys} {_keys.Newest} {_keys.Newest.Seed} {_keys.Newest.Kem}";
        Assert.DoesNotContain(Convert.ToHexStringLower(seed), shown, StringComparison.Ordinal);
        Assert.Contains("1, 2", shown, StringComparison.Ordinal);
    }

    private static void AssertSame(PrivateKeys one, PrivateKeys other)
    {
        Assert.Equal(one.Vault, other.Vault);
        Assert.Equal(
            one.All.Select(k => (k.Generation, k.Kem, Convert.ToHexString(k.PublicKey.AsSpan()))),
            other.All.Select(k => (k.Generation, k.Kem, Convert.ToHexString(k.PublicKey.AsSpan()))));
    }
}
