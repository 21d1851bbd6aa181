using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>Seals and opens many boxes (see <see cref="Secret"/>) under one key that is derived once: deriving it and
/// making a cipher of it takes longer than a small box. A cipher is for one thread at a time, so there are as many as ever
/// worked at once. Thread-safe; disposed, it seals nothing more, and what is under way ends under the key.</summary>
internal sealed class BoxCipher(Secret secret, byte[] label) : IDisposable
{
    private readonly ConcurrentBag<AesGcm> _idle = [];
    private volatile bool _isDisposed;

    /// <summary>Seals <paramref name="content"/> into <paramref name="box"/>, which is longer by
    /// <see cref="Secret.BoxOverheadBytes"/>.</summary>
    /// <param name="associated">Bound to it.</param>
    /// <param name="nonce">Drawn for this box.</param>
    /// <param name="content">What is sealed.</param>
    /// <param name="box">Where to.</param>
    /// <exception cref="ObjectDisposedException">This or the secret is.</exception>
    public void Seal(
        ReadOnlySpan<byte> associated, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> content, Span<byte> box)
    {
        nonce.CopyTo(box);
        AesGcm cipher = Take();
        try
        {
            cipher.Encrypt(nonce, content, box[Secret.NonceBytes..^Secret.TagBytes], box[^Secret.TagBytes..], associated);
        }
        finally
        {
            Give(cipher);
        }
    }

    /// <summary>Opens a box; false when it does not verify: then <paramref name="content"/> is zeroed.</summary>
    /// <exception cref="ObjectDisposedException">This or the secret is.</exception>
    public bool TryOpen(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> content)
    {
        AesGcm cipher = Take();
        try
        {
            return Secret.TryOpen(cipher, associated, box, content);
        }
        finally
        {
            Give(cipher);
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryTake(out AesGcm? cipher))
        {
            cipher.Dispose();
        }
    }

    public override string ToString() => "a cipher";

    private AesGcm Take()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(BoxCipher));
        return _idle.TryTake(out AesGcm? idle) ? idle : secret.Cipher(label, []);
    }

    private void Give(AesGcm cipher)
    {
        _idle.Add(cipher);
        if (_isDisposed)
        {
            Dispose();
        }
    }
}
