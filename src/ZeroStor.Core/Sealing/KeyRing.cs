using System.Collections.Immutable;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>Who holds the private keys of a vault. Numbers are stored: never reused.</summary>
public enum Custody : byte
{
    /// <summary>The silos, under the fabric's master key: disk grains seal and open.</summary>
    Fabric = 1,

    /// <summary>Its owner alone: the SDK seals and opens, and the fabric sees sealed bytes.</summary>
    Owner = 2,
}

/// <summary>One key pair of a vault, as the ring has it.</summary>
/// <param name="Generation">Counts from 1.</param>
/// <param name="Suite">Of which encapsulation (<see cref="HybridKem"/>).</param>
/// <param name="Begun">The tick in which it was made.</param>
/// <param name="PublicKey">As the suite says.</param>
/// <param name="HeldBy">Id of the master key that wraps the private key; empty: the ring does not hold it.</param>
/// <param name="Held">The wrapped private key.</param>
public sealed record KeyPair(
    uint Generation,
    byte Suite,
    Tick Begun,
    ImmutableArray<byte> PublicKey,
    string HeldBy,
    ImmutableArray<byte> Held)
{
    /// <summary>The suite's name.</summary>
    public string SuiteName => HybridKem.Find(Suite)!.Name;
}

/// <summary>One epoch of a vault: a 256-bit key that wraps content keys, encapsulated to a key pair.</summary>
/// <param name="Number">Counts from 1; a wrapped content key names it.</param>
/// <param name="Generation">Of the key pair.</param>
/// <param name="Begun">The tick from which it wraps content keys.</param>
/// <param name="Ciphertext">What carries the secret that wraps the epoch key.</param>
/// <param name="Wrapped">The wrapped epoch key.</param>
/// <param name="Witness">Says that who has the private key made it.</param>
public sealed record KeyEpoch(
    uint Number,
    uint Generation,
    Tick Begun,
    ImmutableArray<byte> Ciphertext,
    ImmutableArray<byte> Wrapped,
    ImmutableArray<byte> Witness);

/// <summary>A vault's keys at rest: its key pairs, and its epochs encapsulated to them. Holds nothing secret that is not
/// wrapped; what it says is checked against the private keys when it is unlocked. Immutable.
/// <para>Why a witness: anybody can encapsulate to a public key. Who may write to the database could add an epoch whose
/// key he knows, and would read what is put from then on. What has no witness of the private key is opened, but never
/// written under. That an epoch is missing cannot be seen here: who owns the database can go back in it.</para></summary>
public sealed class KeyRing
{
    /// <summary>More than eighty years of epochs of <see cref="VaultKeys.EpochTicks"/>: a ring stays below 2 MB.
    /// </summary>
    public const int MaxEpochs = 1024;

    internal KeyRing(
        VaultId vault,
        Custody custody,
        ImmutableArray<byte> suites,
        ImmutableArray<KeyPair> pairs,
        ImmutableArray<KeyEpoch> epochs) =>
        (Vault, Custody, Suites, Pairs, Epochs) = (vault, custody, suites, pairs, epochs);

    public VaultId Vault { get; }

    public Custody Custody { get; }

    /// <summary>The suites that the vault accepts, in rising order: key pairs and epochs of others are refused.
    /// </summary>
    public ImmutableArray<byte> Suites { get; }

    /// <summary>In order of their generations. Epochs go to the last one.</summary>
    public ImmutableArray<KeyPair> Pairs { get; }

    /// <summary>In order of their numbers. The last one that has a witness wraps new content keys, all open old ones.
    /// </summary>
    public ImmutableArray<KeyEpoch> Epochs { get; }

    /// <summary>A new vault's ring: the public keys of <paramref name="keys"/> and one epoch. The private keys are not
    /// in it: see <see cref="HeldByAsync"/>.</summary>
    public static KeyRing Create(PrivateKeys keys, Custody custody, Tick now, IEntropy entropy) =>
        new KeyRing(
            keys.Vault,
            custody,
            [.. keys.All.Select(k => k.Kem.Suite).Distinct().Order()],
            [.. keys.All.Select(k => PairOf(k, now))],
            [])
        .WithNextEpoch(keys, now, entropy);

    /// <exception cref="ZeroStorException">Corrupt: not a key ring, or of a format or suite that this version does not
    /// know.</exception>
    public static KeyRing Decode(ReadOnlySpan<byte> bytes) => KeyRingCodec.Decode(bytes);

    public byte[] Encode() => KeyRingCodec.Encode(this);

    /// <summary>The ring with its private keys in it, wrapped by a master key.</summary>
    /// <exception cref="ZeroStorException">Unavailable: the master key's service does not answer.</exception>
    public async ValueTask<KeyRing> HeldByAsync(
        IMasterKey master, PrivateKeys keys, IEntropy entropy, CancellationToken cancel)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyPair>(Pairs.Length);
        byte[] seed = GC.AllocateArray<byte>(HybridKem.SeedBytes, pinned: true);
        try
        {
            foreach (KeyPair pair in Pairs)
            {
                Demand(pair, keys).Seed.CopyTo(seed);
                byte[] held = await master.WrapAsync(seed, BindingOf(pair), entropy, cancel);
                pairs.Add(pair with { HeldBy = master.Id, Held = [.. held] });
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }

        return new KeyRing(Vault, Custody, Suites, pairs.MoveToImmutable(), Epochs);
    }

    /// <summary>The private keys that the ring holds.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: they are under another master key, which is named, or with
    /// their owner; Corrupt: the ring is damaged; Unavailable: the master key's service does not answer.</exception>
    public async ValueTask<PrivateKeys> OpenAsync(IMasterKey master, CancellationToken cancel)
    {
        var keys = ImmutableArray.CreateBuilder<PrivateKey>(Pairs.Length);
        byte[] seed = GC.AllocateArray<byte>(HybridKem.SeedBytes, pinned: true);
        try
        {
            foreach (KeyPair pair in Pairs)
            {
                DemandHolder(pair, master);
                if (!await master.TryUnwrapAsync(pair.Held.AsMemory(), BindingOf(pair), seed, cancel))
                {
                    throw Damaged($"key {pair.Generation}");
                }

                var key = new PrivateKey(
                    pair.Generation, HybridKem.Find(pair.Suite)!, new Secret(seed, isLongLived: true));
                keys.Add(key);
                if (!key.PublicKey.AsSpan().SequenceEqual(pair.PublicKey.AsSpan()))
                {
                    throw Damaged($"key {pair.Generation}");
                }
            }
        }
        catch
        {
            keys.ToList().ForEach(k => k.Seed.Dispose());
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }

        return new PrivateKeys(Vault, keys.MoveToImmutable());
    }

    /// <summary>Opens every epoch for which there is a private key.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: the keys are of another vault, or not the ones that the ring
    /// has the public keys of; Corrupt: the ring is damaged.</exception>
    public VaultKeys Unlock(PrivateKeys keys)
    {
        if (keys.Vault != Vault)
        {
            throw ZeroStorException.Invalid(
                $"These are keys of vault {keys.Vault}, and vault {Vault} is to be opened: name its own key file.");
        }

        var open = ImmutableArray.CreateBuilder<OpenEpoch>(Epochs.Length);
        try
        {
            foreach (KeyEpoch epoch in Epochs)
            {
                open.Add(Open(epoch, keys));
            }
        }
        catch
        {
            open.ToList().ForEach(e => e.Dispose());
            throw;
        }

        return new VaultKeys(Vault, open.MoveToImmutable());
    }

    /// <summary>The ring with one more epoch, whose key is fresh.</summary>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable: it has <see cref="MaxEpochs"/>.</exception>
    public KeyRing WithNextEpoch(PrivateKeys keys, Tick now, IEntropy entropy)
    {
        if (Epochs.Length >= MaxEpochs)
        {
            throw new ZeroStorException(
                ErrorKind.PolicyUnsatisfiable,
                $"Vault {Vault} has {MaxEpochs} epochs, and a ring holds no more: make another vault.");
        }

        uint number = Epochs.IsEmpty ? 1 : checked(Epochs[^1].Number + 1);
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        entropy.Fill(key);
        try
        {
            KeyEpoch epoch = EpochBox.Seal(Vault, Demand(Pairs[^1], keys), number, now, key, entropy);
            return With(Pairs, Suites, Epochs.Add(epoch));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The ring after a rotation: the newest of <paramref name="keys"/> is one more key pair, every epoch is
    /// encapsulated to it, and a fresh epoch begins. No content key changes. Earlier key pairs stay until they are
    /// taken out: whoever read the ring before may be using them.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: a private key is missing that an epoch needs.</exception>
    public KeyRing WithNextPair(PrivateKeys keys, Tick now, IEntropy entropy)
    {
        if (keys.Newest.Generation <= Pairs[^1].Generation)
        {
            throw ZeroStorException.Invalid(
                $"Key {keys.Newest.Generation} of vault {Vault} is not newer than {Pairs[^1].Generation}: somebody else "
                + "rotated it meanwhile.");
        }

        foreach (KeyPair pair in Pairs)
        {
            Demand(pair, keys);
        }

        ImmutableArray<byte> suites = [.. Suites.Append(keys.Newest.Kem.Suite).Distinct().Order()];
        using VaultKeys open = Unlock(keys);
        var epochs = ImmutableArray.CreateBuilder<KeyEpoch>(Epochs.Length);
        Span<byte> key = stackalloc byte[Secret.KeyBytes];
        try
        {
            foreach ((KeyEpoch epoch, OpenEpoch opened) in Epochs.Zip(open.Epochs))
            {
                opened.Key!.CopyTo(key);
                KeyEpoch moved = EpochBox.Seal(Vault, keys.Newest, epoch.Number, epoch.Begun, key, entropy);

                // What nobody with the private key made does not become his by a rotation.
                epochs.Add(opened.HasWitness ? moved : moved with { Witness = epoch.Witness });
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }

        return With(Pairs.Add(PairOf(keys.Newest, now)), suites, epochs.MoveToImmutable())
            .WithNextEpoch(keys, now, entropy);
    }

    /// <summary>The ring without an earlier key pair, and without its suite where no other has it.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: it is the newest; NotFound; PreconditionFailed: an epoch is
    /// encapsulated to it.</exception>
    public KeyRing WithoutPair(uint generation)
    {
        KeyPair pair = Pairs.FirstOrDefault(p => p.Generation == generation)
            ?? throw ZeroStorException.NotFound(
                $"Vault {Vault} has no key {generation}: it has {string.Join(", ", Pairs.Select(p => p.Generation))}.");
        if (pair == Pairs[^1])
        {
            throw ZeroStorException.Invalid(
                $"Key {generation} of vault {Vault} is its newest, which epochs go to: rotate first.");
        }

        if (Epochs.FirstOrDefault(e => e.Generation == generation) is { } epoch)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"Epoch {epoch.Number} of vault {Vault} can be opened with key {generation} alone: rotate first.");
        }

        ImmutableArray<KeyPair> rest = Pairs.Remove(pair);
        return With(rest, [.. rest.Select(p => p.Suite).Distinct().Order()], Epochs);
    }

    private KeyRing With(
        ImmutableArray<KeyPair> pairs, ImmutableArray<byte> suites, ImmutableArray<KeyEpoch> epochs) =>
        new(Vault, Custody, suites, pairs, epochs);

    private static KeyPair PairOf(PrivateKey key, Tick now) =>
        new(key.Generation, key.Kem.Suite, now, key.PublicKey, "", []);

    internal KeyPair Pair(uint generation) => Pairs.First(p => p.Generation == generation);

    // The private key of a pair: the ring's public key is not believed but compared.
    private PrivateKey Demand(KeyPair pair, PrivateKeys keys)
    {
        PrivateKey key = keys.Find(pair.Generation) ?? throw ZeroStorException.Invalid(
            $"Vault {Vault} has a key {pair.Generation}, and the keys given are {string.Join(", ", keys.Generations)}: "
            + "name the newest key file.");
        return Matches(pair, key) ? key : throw Differs(pair);
    }

    private static bool Matches(KeyPair pair, PrivateKey key) =>
        pair.Suite == key.Kem.Suite && pair.PublicKey.AsSpan().SequenceEqual(key.PublicKey.AsSpan());

    private ZeroStorException Differs(KeyPair pair) => ZeroStorException.Invalid(
        $"Key {pair.Generation} of vault {Vault} is another than the one given: name the vault's own key file; if this "
        + "is it, somebody changed the key ring.");

    private OpenEpoch Open(KeyEpoch epoch, PrivateKeys keys)
    {
        if (keys.Find(epoch.Generation) is not { } own)
        {
            return new OpenEpoch(epoch.Number, epoch.Generation, epoch.Begun, null, HasWitness: false);
        }

        return Matches(Pair(epoch.Generation), own)
            ? EpochBox.TryOpen(Vault, epoch, own) ?? throw Damaged($"epoch {epoch.Number}")
            : throw Differs(Pair(epoch.Generation));
    }

    // What a private key that the ring holds is bound to; laid out at the codec.
    private byte[] BindingOf(KeyPair pair)
    {
        var writer = new ByteWriter();
        writer.Byte(KeyRingCodec.Format);
        writer.Byte(pair.Suite);
        writer.Byte((byte)Custody);
        writer.UInt128(Vault.Value);
        writer.UInt32(pair.Generation);
        writer.UInt32(pair.Begun.Value);
        writer.Raw(SHA256.HashData(pair.PublicKey.AsSpan()));
        return writer.ToArray();
    }

    private void DemandHolder(KeyPair pair, IMasterKey master)
    {
        if (pair.HeldBy.Length == 0)
        {
            throw ZeroStorException.Invalid(
                $"The private keys of vault {Vault} are with its owner: open it with the owner's key file.");
        }

        if (pair.HeldBy != master.Id)
        {
            throw ZeroStorException.Invalid(
                $"The keys of vault {Vault} are under master key {pair.HeldBy}, and master key {master.Id} was "
                + "given: name the key file that the vault was made with.");
        }
    }

    private ZeroStorException Damaged(string where) => ZeroStorException.Corrupt(
        $"The key ring of vault {Vault} is damaged at {where}: take it from a disk or a backup.");
}
