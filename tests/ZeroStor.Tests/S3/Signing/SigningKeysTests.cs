using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

public sealed class SigningKeysTests
{
    private static readonly CredentialScope Scope = new("20150830", "us-east-1", "iam");

    [Fact]
    public void A_key_is_the_documented_one()
    {
        byte[] key = new SigningKeys().For("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Scope);
        Assert.Equal(
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9", Convert
                .ToHexStringLower(key));
    }

    [Fact]
    public void A_key_is_made_once_and_another_secret_has_another()
    {
        var keys = new SigningKeys();
        Assert.Same(keys.For("a", Scope), keys.For("a", Scope));
        Assert.NotEqual(keys.For("a", Scope), keys.For("b", Scope));
        Assert.NotEqual(keys.For("a", Scope), keys.For("a", Scope with { Day = "20150831" }));
        Assert.Equal(3, keys.Count);
    }

    [Fact]
    public void What_is_kept_is_bounded()
    {
        var keys = new SigningKeys();
        for (int i = 0; i < SigningKeys.MaxKept + 100; i++)
        {
            keys.For("a", Scope with { Region = $"r{i}" });
            Assert.InRange(keys.Count, 1, SigningKeys.MaxKept);
        }
    }
}
