using System.Reflection;
using System.Runtime.CompilerServices;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class SecretTests
{
    private static readonly SeededEntropy Entropy = new(11);

    [Fact]
    public void No_label_serves_twice()
    {
        PropertyInfo[] purposes = typeof(KeyPurpose).GetProperties(BindingFlags.Static | BindingFlags.Public);
        string[] labels = [.. purposes.Select(Text)];
        Assert.Equal(10, labels.Length);
        Assert.Equal(labels.Length, labels.Distinct().Count());
        Assert.All(labels, label => Assert.DoesNotContain('\0', label));
    }

    [Fact]
    public void Another_label_context_or_key_derives_another_key()
    {
        using Secret secret = SealingRig.NewSecret(Entropy);
        using Secret other = SealingRig.NewSecret(Entropy);
        byte[][] derived =
        [
            Derive(secret, KeyPurpose.Stripe, [1]),
            Derive(secret, KeyPurpose.Stripe, [2]),
            Derive(secret, KeyPurpose.Stripe, [1, 0]),
            Derive(secret, KeyPurpose.Stripe, []),
            Derive(secret, KeyPurpose.Manifest, [1]),
            Derive(other, KeyPurpose.Stripe, [1]),
        ];
        Assert.Equal(derived.Length, derived.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(derived[0], Derive(secret, KeyPurpose.Stripe, [1]));
    }

    [Fact]
    public void A_box_opens_only_as_it_was_sealed_and_else_leaves_zeros()
    {
        using Secret secret = SealingRig.NewSecret(Entropy);
        byte[] box = new byte[8 + Secret.BoxOverheadBytes];
        secret.Seal(KeyPurpose.Manifest, [1], [2], Entropy, "8 bytes."u8, box);
        byte[] content = new byte[8];
        Assert.True(secret.TryOpen(KeyPurpose.Manifest, [1], [2], box, content));
        Assert.Equal("8 bytes."u8, content);
        SealingRig.ForEachFlippedBit(box, (flipped, _) => AssertRefused(secret, [1], [2], flipped));
        AssertRefused(secret, [9], [2], box);
        AssertRefused(secret, [1], [9], box);
    }

    [Fact]
    public void A_nonce_is_drawn_for_every_box()
    {
        using Secret secret = SealingRig.NewSecret(Entropy);
        var nonces = new HashSet<string>();
        byte[] box = new byte[Secret.BoxOverheadBytes];
        for (int i = 0; i < 1000; i++)
        {
            secret.Seal(KeyPurpose.Manifest, [], [], Entropy, [], box);
            Assert.True(nonces.Add(Convert.ToHexString(box, 0, Secret.NonceBytes)));
        }
    }

    [Fact]
    public void Disposed_it_is_zeros_that_nobody_can_use()
    {
        Secret secret = SealingRig.NewSecret(Entropy);
        byte[] key = Assert.Single(SealingRig.KeysIn(secret));
        Assert.Contains(key, b => b != 0);
        secret.Dispose();
        Assert.All(key, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => Derive(secret, KeyPurpose.Stripe, []));
        Assert.Throws<ObjectDisposedException>(() => secret.CopyTo(new byte[Secret.KeyBytes]));
    }

    [Fact]
    public void Forgotten_it_is_zeroed_when_the_collector_finds_it()
    {
        byte[] key = Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.All(key, b => Assert.Equal(0, b));
    }

    // In a frame of its own: nothing of the caller's may hold the secret.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte[] Forget()
    {
        Secret secret = SealingRig.NewSecret(Entropy);
        byte[] key = Assert.Single(SealingRig.KeysIn(secret));
        Assert.Contains(key, b => b != 0);
        GC.KeepAlive(secret);
        return key;
    }

    private static void AssertRefused(Secret secret, byte[] context, byte[] associated, byte[] box)
    {
        byte[] content = new byte[box.Length - Secret.BoxOverheadBytes];
        content.AsSpan().Fill(SealingRig.Dirt);
        Assert.False(secret.TryOpen(KeyPurpose.Manifest, context, associated, box, content));
        Assert.All(content, b => Assert.Equal(0, b));
    }

    private static byte[] Derive(Secret secret, ReadOnlySpan<byte> label, byte[] context)
    {
        byte[] target = new byte[Secret.KeyBytes];
        secret.Derive(label, context, target);
        return target;
    }

    // Spans cannot be boxed, so a label is read through a delegate of its getter.
    private static string Text(PropertyInfo label) =>
        System.Text.Encoding.ASCII.GetString(label.GetMethod!.CreateDelegate<LabelGetter>()());

    private delegate ReadOnlySpan<byte> LabelGetter();
}
