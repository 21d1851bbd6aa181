using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>One key of a vault, wrapped.</summary>
/// <param name="Number">Counts from 1; a wrapped content key names it.</param>
/// <param name="Suite">How the key is wrapped.</param>
/// <param name="Begun">The tick from which it wraps content keys.</param>
/// <param name="Wrapped">The wrapped key, as the suite says.</param>
public sealed record KeyEpoch(uint Number, byte Suite, Tick Begun, ImmutableArray<byte> Wrapped);

/// <summary>A vault's keys at rest: its epochs, each a 256-bit key that is wrapped. Holds nothing secret, and
/// says nothing until a master key unlocks it. Immutable.
/// <para>Encoded, numbers big-endian (not frozen yet):</para>
/// <code>
/// 1   format 1
/// 16  VaultId
/// v   how many epochs follow (LEB128), at least one; their numbers rise
///     4   number
///     1   suite
///     4   tick begun
///     v   length of what follows (LEB128)
///     …   wrapped key
/// </code>
/// <para>Suite 1, AES-256-GCM under the master key, 76 bytes:</para>
/// <code>
/// 16  id of the master key
/// 12  nonce, random
/// 32  ciphertext of the epoch key
/// 16  tag
/// key = HKDF-SHA256(master key, "ZeroStor 1 epoch key wrap" ‖ 0x00 ‖ VaultId ‖ number)
/// AAD = format ‖ suite ‖ VaultId ‖ number ‖ tick begun ‖ id of the master key
/// </code>
/// <para>So no bit of an epoch can change unseen. That an epoch is missing cannot be seen here: who owns the
/// database can go back in it.</para></summary>
public sealed class KeyRing
{
    private const byte Format = 1;
    private const int MasterKeyIdBytes = 16;
    private const int WrappedBytes = MasterKeyIdBytes + Secret.KeyBytes + Secret.BoxOverheadBytes;
    private const int ContextBytes = Id128.Bytes + 4;
    private const int AssociatedBytes = 2 + Id128.Bytes + 4 + 4 + MasterKeyIdBytes;

    private KeyRing(VaultId vault, ImmutableArray<KeyEpoch> epochs)
    {
        Vault = vault;
        Epochs = epochs;
    }

    public VaultId Vault { get; }

    /// <summary>In order of their numbers. The last one wraps new content keys, all open old ones.</summary>
    public ImmutableArray<KeyEpoch> Epochs { get; }

    /// <summary>A new vault's ring: one epoch with a fresh random key.</summary>
    public static KeyRing Create(MasterKey master, VaultId vault, Tick now, IEntropy entropy) =>
        new KeyRing(vault, []).WithNextEpoch(master, now, entropy);

    /// <exception cref="ZeroStorException">Corrupt: not a key ring, or of a format or suite that this version
    /// does not know.</exception>
    public static KeyRing Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "key ring");
        reader.Format(Format);
        var vault = new VaultId(reader.UInt128());
        var epochs = ImmutableArray.CreateBuilder<KeyEpoch>();
        uint previous = 0;
        for (int i = reader.Count(); i > 0; i--)
        {
            uint number = reader.UInt32();
            Suites.Require(ref reader, Suites.AesGcm);
            var begun = new Tick(reader.UInt32());
            ReadOnlySpan<byte> wrapped = reader.Blob();
            if (number <= previous || wrapped.Length != WrappedBytes)
            {
                throw Damaged(vault, number);
            }

            epochs.Add(new KeyEpoch(number, Suites.AesGcm, begun, [.. wrapped]));
            previous = number;
        }

        reader.End();
        return epochs.Count > 0 ? new KeyRing(vault, epochs.ToImmutable()) : throw Damaged(vault, 0);
    }

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.UInt128(Vault.Value);
        writer.VarInt(Epochs.Length);
        foreach (KeyEpoch epoch in Epochs)
        {
            writer.UInt32(epoch.Number);
            writer.Byte(epoch.Suite);
            writer.UInt32(epoch.Begun.Value);
            writer.Blob(epoch.Wrapped.AsSpan());
        }

        return writer.ToArray();
    }

    /// <summary>Unwraps every epoch.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: another master key, which is named; Corrupt: the
    /// ring is damaged.</exception>
    public VaultKeys Unlock(MasterKey master)
    {
        var keys = new (uint Number, Secret Key)[Epochs.Length];
        int unlocked = 0;
        try
        {
            for (; unlocked < keys.Length; unlocked++)
            {
                keys[unlocked] = (Epochs[unlocked].Number, Unwrap(master, Epochs[unlocked]));
            }
        }
        catch
        {
            foreach ((uint _, Secret key) in keys.AsSpan(0, unlocked))
            {
                key.Dispose();
            }

            throw;
        }

        return new VaultKeys(Vault, keys);
    }

    /// <summary>The ring with one more epoch, whose key is fresh.</summary>
    internal KeyRing WithNextEpoch(MasterKey master, Tick now, IEntropy entropy)
    {
        uint number = Epochs.IsEmpty ? 1 : checked(Epochs[^1].Number + 1);
        byte[] wrapped = new byte[WrappedBytes];
        Convert.FromHexString(master.Id, wrapped.AsSpan(0, MasterKeyIdBytes), out _, out _);
        Span<byte> context = stackalloc byte[ContextBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Bind(number, now, wrapped, context, associated);
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        try
        {
            entropy.Fill(key);
            Span<byte> box = wrapped.AsSpan(MasterKeyIdBytes);
            master.Secret.Seal(KeyPurpose.EpochKeyWrap, context, associated, entropy, key, box);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }

        return new KeyRing(Vault, Epochs.Add(new KeyEpoch(number, Suites.AesGcm, now, [.. wrapped])));
    }

    private Secret Unwrap(MasterKey master, KeyEpoch epoch)
    {
        ReadOnlySpan<byte> wrapped = epoch.Wrapped.AsSpan();
        string madeUnder = Convert.ToHexStringLower(wrapped[..MasterKeyIdBytes]);
        if (madeUnder != master.Id)
        {
            throw ZeroStorException.Invalid(
                $"The keys of vault {Vault} are under master key {madeUnder}, and master key {master.Id} was "
                + "given: name the key file that the vault was made with.");
        }

        Span<byte> context = stackalloc byte[ContextBytes];
        Span<byte> associated = stackalloc byte[AssociatedBytes];
        Bind(epoch.Number, epoch.Begun, wrapped, context, associated);
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        try
        {
            ReadOnlySpan<byte> box = wrapped[MasterKeyIdBytes..];
            return master.Secret.TryOpen(KeyPurpose.EpochKeyWrap, context, associated, box, key)
                ? new Secret(key, isLongLived: true)
                : throw Damaged(Vault, epoch.Number);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    // What a wrapped epoch key is bound to; laid out above.
    private void Bind(
        uint number, Tick begun, ReadOnlySpan<byte> wrapped, Span<byte> context, Span<byte> associated)
    {
        Id128.Write(context, Vault.Value);
        BinaryPrimitives.WriteUInt32BigEndian(context[Id128.Bytes..], number);
        associated[0] = Format;
        associated[1] = Suites.AesGcm;
        context.CopyTo(associated[2..]);
        BinaryPrimitives.WriteUInt32BigEndian(associated[(2 + ContextBytes)..], begun.Value);
        wrapped[..MasterKeyIdBytes].CopyTo(associated[(2 + ContextBytes + 4)..]);
    }

    private static ZeroStorException Damaged(VaultId vault, uint number) => ZeroStorException.Corrupt(
        $"The key ring of vault {vault} is damaged at epoch {number}: take it from a disk or a backup.");
}
